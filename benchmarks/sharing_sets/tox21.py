"""tox21: twelve assays of one molecule, a sixth of the answers missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import nn

from sets import DATA
from sharewise.share import MLP

from .problem import NO_FUNNEL, NO_NORMS, TRIALS, Effort, Part, Problem
from .targets import YesNo

RARE = 0.01  # a bit that fewer training rows than this have, or have not, is left out


def load(seed: int) -> Problem:
    """The set's own random split; the seed moves initialisation and batches alone."""
    table = pd.read_parquet(DATA / "molecules" / "tox21.parquet")
    assays = [column for column in table.columns if column.startswith(("NR-", "SR-"))]
    bits = table[[column for column in table.columns if column.startswith("fp")]].to_numpy(np.float32)
    in_train = (table["split_random"] == "train").to_numpy()
    share = bits[in_train].mean(0)
    bits = bits[:, (share >= RARE) & (share <= 1 - RARE)]
    numbers = table[[column for column in table.columns if column.startswith("d_")]].to_numpy(np.float64)
    spread = numbers[in_train].std(0)
    numbers = ((numbers - numbers[in_train].mean(0)) / np.where(spread > 0, spread, 1)).clip(-5, 5)
    inputs = torch.from_numpy(np.column_stack([bits, numbers]).astype(np.float32))
    targets = {name: torch.from_numpy(table[name].to_numpy(np.float32, copy=True)) for name in assays}
    parts = [Part(inputs, targets).take(torch.from_numpy(np.flatnonzero(table["split_random"] == part)))
             for part in ("train", "valid", "test")]
    rows = ", ".join(f"{len(part.inputs):,}" for part in parts)
    return Problem("tox21", "the Morgan bits that stand in 1 % of the training rows or more, and descriptors; "
                   f"its random split, {rows} rows; MLP of two layers",
                   dict.fromkeys(assays, YesNo()), *parts, Effort(180, 128, TRIALS),
                   width=16, stages=2, trunk=lambda widths: MLP(inputs.shape[1], widths, dropout=0.2),
                   head=lambda task, width: nn.Linear(width, 1), unfit=NO_FUNNEL | NO_NORMS)
