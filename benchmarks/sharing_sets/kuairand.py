"""KuaiRand: click, long view, like, follow of a short video; ids are embedded."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from sets import DATA
from sharewise.share import MLP

from .problem import NO_NORMS, Effort, Part, Problem, Trial, draw
from .targets import YesNo

TARGETS = {"click": "is_click", "long view": "long_view", "like": "is_like", "follow": "is_follow"}
IDS = ["user_id", "video_id", "author_id", "tag", "tab", "hour", "video_type", "upload_type", "music_type",
       "user_active_degree", *(f"onehot_feat{at}" for at in range(12))]
COUNTS = ["duration_ms", "freshness_days", "follow_user_num", "fans_user_num", "friend_user_num", "register_days"]
TRAIN, VALID, CHANNELS = 60_000, 6_000, 8


def load(seed: int) -> Problem:
    """The set's own split by days; 60,000 training rows drawn by the seed, 6,000 validation rows, all test rows."""
    everyone, parts, size = _table()
    train, valid, test = (torch.from_numpy(np.flatnonzero(parts == part)) for part in ("train", "valid", "test"))
    rows = [train[draw(len(train), TRAIN, seed)], valid[draw(len(valid), VALID, 0)], test]
    return Problem("KuaiRand", f"exposures of short videos; {TRAIN:,} training rows (until 3 May) drawn anew for each "
                   f"seed, {VALID:,} for validation (4 and 5 May), {len(test):,} for test (6 to 8 May); {len(IDS)} ids "
                   f"embedded in {CHANNELS} numbers each, MLP of two layers", dict.fromkeys(TARGETS, YesNo()),
                   *map(everyone.take, rows),
                   Effort(150, 512, (Trial(0.006, 0.01), Trial(0.02, 0.01), Trial(0.02, 1.0))), width=32, stages=2,
                   trunk=lambda widths: MLP(CHANNELS * len(IDS) + len(COUNTS), widths),
                   head=lambda task, width: nn.Linear(width, 1), bottom=lambda: Embedded(size),
                   unfit=NO_NORMS, funnel=("click", "long view"))


class Embedded(nn.Module):
    """Ids, the first columns of the inputs, as numbers of a table, and the other columns as they are."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(size, CHANNELS)
        nn.init.normal_(self.table.weight, std=0.05)

    def forward(self, inputs: Tensor) -> Tensor:
        ids, numbers = inputs[:, :len(IDS)].long(), inputs[:, len(IDS):]
        return torch.cat([self.table(ids).flatten(1), numbers], dim=1)


@cache
def _table() -> tuple[Part, np.ndarray, int]:
    """All rows, the part of each, and how many different ids there are. An id that no training row shows is unknown."""
    place = DATA / "recsys"
    table = pd.read_parquet(place / "kuairand_interactions.parquet").assign(hour=lambda rows: rows["hourmin"] // 100)
    videos = pd.read_parquet(place / "kuairand_videos.parquet")[["video_id", "video_type", "upload_type", "music_type"]]
    table = table.merge(videos, on="video_id", how="left").merge(
        pd.read_parquet(place / "kuairand_users.parquet"), on="user_id", how="left")
    in_train = (table["split"] == "train").to_numpy()
    columns, size = [], 0
    for name in IDS:
        known = {value: at for at, value in enumerate(table.loc[in_train, name].dropna().unique(), start=1)}
        columns.append(size + table[name].astype(object).map(known).fillna(0).to_numpy(np.int64))
        size += len(known) + 1
    numbers = np.log1p(table[COUNTS].fillna(0).clip(lower=0).to_numpy(np.float64))
    numbers = (numbers - numbers[in_train].mean(0)) / numbers[in_train].std(0)
    inputs = np.column_stack([*columns, numbers]).astype(np.float32)  # exact: ids are far below 2 ** 24
    targets = {name: torch.from_numpy(table[column].to_numpy(np.float32)) for name, column in TARGETS.items()}
    return Part(torch.from_numpy(inputs), targets), table["split"].astype(str).to_numpy(), size
