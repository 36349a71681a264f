"""The role Kind: everything that differs between a price, a click and a grade."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float

from ..base import UsageError
from .scale import Scale

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

Array = np.ndarray
SMALLEST_PROBABILITY = 1e-6


class Kind(ABC):
    """How one kind of target is read, learned, judged and given back.

    Four spaces, always in this order:
    *values* (the user's own labels or units, a column or several of a table), *target* [N, W] float (class codes or
    numbers; NaN = not observed), *raw* [N, R] (what a network's head gives: standardised value, logits), *mean* [N, C]
    (the prediction that all families share: expected value in the target's own units, or class probabilities).

    ``name`` is the kind's word in files and on the command line; ``width`` W; ``raw_size`` R; ``outputs`` C;
    ``classes`` the labels in the order of the C outputs (empty for numbers); ``loss_name`` the row loss in words;
    ``variant`` what else than these the loss depends on: tasks alike in all of it can be computed together;
    ``likelihood_factor`` a: the loss / sigma^2 * a + log sigma is a negative log-likelihood (Kendall 2018).
    """

    name: ClassVar[str]
    loss_name: ClassVar[str]
    likelihood_factor: ClassVar[float] = 1.0
    width: int = 1
    raw_size: int = 1
    outputs: int = 1
    classes: tuple[Any, ...] = ()
    variant: tuple[Any, ...] = ()

    # -- values <-> target ------------------------------------------------------------------------------------
    @abstractmethod
    def encode(self, values: pd.DataFrame) -> Float[Array, "N W"]:
        """Values to target; missing values to NaN. DataError, naming column and row, where a value does not fit."""

    @abstractmethod
    def decode(self, mean: Float[Array, "N C"]) -> Array:
        """The single best value a row, in the user's own labels or units: [N], or [N, W] for a multilabel."""

    # -- fitted on the training rows ---------------------------------------------------------------------------
    @abstractmethod
    def fit_scale(self, target: Float[Array, "N W"]) -> Scale:
        """Scale, trivial prediction and its loss from the observed entries of ``target``."""

    def standardise(self, target: Float[Array, "N W"], scale: Scale) -> Float[Array, "N W"]:
        """Target to what an estimator is trained on. Rounded to float32, so that a target in other units
        (metres, millimetres) gives the very same numbers to learn from."""
        return ((target - scale.centre) / scale.spread).astype(np.float32).astype(np.float64)

    def restore(self, mean: Float[Array, "N C"], scale: Scale) -> Float[Array, "N C"]:
        """A mean prediction of the standardised target back into the target's own units."""
        return mean * scale.spread + scale.centre

    # -- networks ----------------------------------------------------------------------------------------------
    @abstractmethod
    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        """Loss of every row, of ``raw`` [..., N, R] against the standardised ``target`` [..., N, W]: [..., N],
        exactly 0 (and with zero gradient) where ``observed`` [..., N, W] is False; ``target`` may be NaN there.
        Divided by ``scale.unit_z`` the losses of all kinds start at 1. A kind whose scale has ``weights`` takes them
        as a fourth argument, [..., W, codes], and gives back the raw output of the unweighted table all the same."""

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """Raw output [..., N, R] to the mean prediction [..., N, C] of the standardised target (the inverse link)."""

    @abstractmethod
    def start(self, scale: Scale) -> tuple[float, ...]:
        """Raw output [R] of the trivial predictor: where a head's bias starts."""

    # -- judging -----------------------------------------------------------------------------------------------
    @abstractmethod
    def row_loss(self, mean: Float[Array, "N C"], target: Float[Array, "N W"]) -> Float[Array, "N"]:
        """The proper loss of every row in the target's own units; NaN where nothing is observed. Lower is better."""

    def chance(self, mean: Float[Array, "*M N C"], target: Float[Array, "N W"]) -> Float[Array, "*M N"] | None:
        """The probability of what was observed, where it is linear in the mean and the row loss is minus its logarithm
        (it being kept SMALLEST_PROBABILITY away from 0 and 1); None for kinds whose loss is another."""
        return None

    def score(self, mean: Float[Array, "N C"], target: Float[Array, "N W"], scale: Scale) -> float:
        """Mean row loss over that of the trivial predictor: 1 is no better than trivial, 0 is perfect."""
        return float(np.nanmean(self.row_loss(mean, target)) / scale.unit)

    # -- written down ------------------------------------------------------------------------------------------
    def __repr__(self) -> str:
        said = (f"{part.name}={getattr(self, part.name)!r}" for part in fields(self)  # type: ignore[arg-type]
                if part.name == "classes" or getattr(self, part.name) != part.default)
        return f"{type(self).__name__}({', '.join(said)})"

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict; ``Kind.from_json`` reads it."""
        return {"kind": self.name, **asdict(self)}  # type: ignore[call-overload]

    @staticmethod
    def from_json(state: dict[str, Any]) -> Kind:
        """The kind that ``to_json`` described."""
        from . import kinds

        options = {k: tuple(v) if isinstance(v, list) else v for k, v in state.items() if k != "kind"}
        known = {kind.name: kind for kind in vars(kinds).values() if isinstance(kind, type) and issubclass(kind, Kind)}
        if state.get("kind") not in known:
            raise UsageError("kind", f"is {state.get('kind')!r}", f"it must be one of {', '.join(known)}", "Change it.")
        return known[state["kind"]](**options)
