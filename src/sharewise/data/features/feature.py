"""The role Feature: one input column, fitted on the training rows, as float32 columns of X."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...base import DataError

Array = np.ndarray


@dataclass(frozen=True)
class Options:
    """What the Encoder was told: see there."""

    one_hot_levels: int = 20
    text_size: int = 32
    character_size: int = 16
    seed: int = 0


class Feature(ABC):
    """An input column: ``name``, the ``type`` that it was found to have, and what the training rows taught.

    ``fit`` sees a tidy column of the right sort and gives None where there is nothing to learn from (constant).
    ``to_state`` gives a JSON-ready dict and arrays; ``from_state`` makes the same feature again, to the last bit.
    """

    type: ClassVar[str]
    name: str

    @classmethod
    @abstractmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        """The fitted feature, or None where the column is constant."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The names of the d columns that it gives."""

    @abstractmethod
    def transform(self, column: pd.Series) -> Float[Array, "N d"]:
        """The column as float32 [N, d]; DataError, naming it, where its cells are of another type than in fit."""

    @abstractmethod
    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What is remembered, as a JSON-ready dict and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The feature that ``to_state`` described."""


def wrong_type(name: str, type: str, was: str) -> DataError:
    """The error for a column whose cells are of another type than those that the encoder was fitted on."""
    return DataError(f"column {name!r}", was, f"it must hold the type {type}, as in the rows it was fitted on",
                     "Mend or empty the cells, or fit again.")
