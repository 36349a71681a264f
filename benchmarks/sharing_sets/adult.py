"""adult: income, never married, college; the columns that give a target away are no inputs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from sets import DATA
from sharewise.share import MLP

from .problem import NO_FUNNEL, NO_NORMS, TRIALS, Effort, Part, Problem, draw
from .targets import YesNo

TARGETS = {"income": "y_income_gt_50k", "never married": "y_never_married", "college": "y_college"}
WORDS = ["workclass", "occupation", "race", "sex", "native_country"]
NUMBERS = ["age", "fnlwgt", "capital_gain", "capital_loss", "hours_per_week"]
TRAIN, VALID, TEST = 4000, 4000, 8000


def load(seed: int) -> Problem:
    """4,000 training rows drawn by the seed; the 4,000 validation and 8,000 test rows are the same for all seeds."""
    rows, targets = _table()
    everyone = Part(rows, targets)
    order = draw(len(rows), len(rows), seed=0)
    valid, test, rest = order[:VALID], order[VALID:VALID + TEST], order[VALID + TEST:]
    train = rest[draw(len(rest), TRAIN, seed)]
    parts = [everyone.take(at) for at in (train, valid, test)]
    return Problem("adult", f"census; {TRAIN:,} training rows drawn anew for each seed, {VALID:,} for validation, "
                   f"{TEST:,} for test; MLP of two layers", dict.fromkeys(TARGETS, YesNo()), *parts,
                   Effort(200, 128, TRIALS), width=32, stages=2,
                   trunk=lambda widths: MLP(rows.shape[1], widths), head=lambda task, width: nn.Linear(width, 1),
                   unfit=NO_FUNNEL | NO_NORMS)


@cache
def _table() -> tuple[Tensor, dict[str, Tensor]]:
    table = pd.read_parquet(DATA / "recsys" / "adult.parquet")
    numbers = table[NUMBERS].astype(float).assign(capital_gain=np.log1p(table["capital_gain"]),
                                                  capital_loss=np.log1p(table["capital_loss"]))
    numbers = (numbers - numbers.mean()) / numbers.std()
    inputs = pd.concat([numbers, pd.get_dummies(table[WORDS].astype(str))], axis=1).to_numpy(np.float32)
    return torch.from_numpy(inputs), {name: torch.from_numpy(table[column].to_numpy(np.float32))
                                      for name, column in TARGETS.items()}
