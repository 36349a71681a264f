"""The Encoder: the columns of a table as the array X that all estimators learn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..base import DataError, FolderError, NotFittedError
from ..base.checks import no_duplicates, within
from .features import Boolean, Category, Date, Feature, Labels, Number, Options, Text
from .features.detect import fit_feature
from .features.number import LARGEST
from .infer_target import need_column

TYPES: dict[str, type[Feature]] = {feature.type: feature for feature in (Boolean, Category, Date, Labels, Number, Text)}
FORMAT = 1
Array = np.ndarray


class Input(NamedTuple):
    """A column that the encoder reads, and the type that it was found to have in the training rows.

    Types: number, boolean, category, date, text, labels.

    >>> Encoder().fit(pd.DataFrame({"size": [1.5, 2.5]})).inputs
    [Input(name='size', type='number')]
    """

    name: str
    type: str


class Encoder:
    """Turns a table's columns into float32 [N, D], fitted on the training rows, without a look at any target.

    Numbers pass through with NaN where missing; booleans are 0, 1 or NaN; categories of up to ``one_hot_levels``
    levels are a column of 0 and 1 each (with one for gaps if there were any), those of more levels their most
    frequent levels, their share of the rows and ``character_size`` coordinates of their spelling; dates are days
    elapsed and the parts that vary; free text is ``text_size`` coordinates of its words; sets are labels of 0 and 1.
    Constant columns are left out, and listed in ``dropped`` with the reason.

    After fit: ``inputs``, the columns that are read with their types; ``names``, the D names of what is given;
    ``dropped``. A new table must have these columns with cells of the same type; further columns are ignored, and
    levels and words that were not there in fit work.

    DataError, naming column and row: mixed types, infinite numbers, a column missing or of another type than in fit.

    >>> table = pd.DataFrame({"size": [1.5, None, 3.0], "colour": ["red", "blue", "red"], "unit": ["cm"] * 3})
    >>> encoder = Encoder().fit(table)
    >>> encoder.names, encoder.dropped
    (['size', 'colour=blue', 'colour=red'], {'unit': "it has the one value 'cm'"})
    >>> encoder.transform(pd.DataFrame({"size": [2.0], "colour": ["green"]})).tolist()
    [[2.0, 0.0, 0.0]]
    """

    def __init__(self, one_hot_levels: int = 20, text_size: int = 32, character_size: int = 16, seed: int = 0) -> None:
        self.one_hot_levels = within("one_hot_levels", one_hot_levels, 1)
        self.text_size = within("text_size", text_size, 1)
        self.character_size = within("character_size", character_size, 1)
        self.seed = seed

    def fit(self, table: pd.DataFrame, columns: Sequence[str] | None = None) -> Self:
        """Learn levels, words and formats from the rows of ``table``, for its ``columns`` (default: all)."""
        chosen = list(table.columns) if columns is None else list(no_duplicates("columns", list(columns)))
        options = Options(self.one_hot_levels, self.text_size, self.character_size, self.seed)
        features, self.dropped = [], {}
        for name in chosen:
            made = fit_feature(name, need_column(table, name, "column"), options)
            if isinstance(made, Feature):
                features.append(made)
            else:
                self.dropped[name] = made
        if not features:
            raise DataError("the table", f"has no column to learn from among {len(chosen)}",
                            "it needs 1 that is no target and not constant", "Add features.")
        self._set(features)
        return self

    def transform(self, table: pd.DataFrame) -> Float[Array, "N D"]:
        """The rows of ``table`` as X [N, D]."""
        if not hasattr(self, "names"):
            raise NotFittedError.of(self)
        known = set(table.columns)
        lost = next((name for name, _ in self.inputs if name not in known), None)
        if lost is not None:
            raise DataError(f"column {lost!r}", "is missing", "the table must have every column that the encoder was "
                            "fitted on", "Add it; cells may be empty.")
        X = np.empty((len(table), len(self.names)), dtype=np.float32)
        plain = self._plain_numbers(table, X)
        for feature, place in zip(self._features, self._places, strict=True):
            if feature.name not in plain:
                X[:, place] = feature.transform(table[feature.name])
        return X

    def save(self, folder: str | Path) -> None:
        """Write ``encoder.json`` and ``encoder.safetensors`` into ``folder`` (made if missing)."""
        from safetensors.numpy import save_file

        if not hasattr(self, "names"):
            raise NotFittedError.of(self)
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        states: list[dict[str, Any]] = []
        arrays: dict[str, Array] = {}
        for at, feature in enumerate(self._features):
            state, held = feature.to_state()
            states.append({"type": feature.type, "state": state})
            arrays |= {f"{at}.{key}": np.ascontiguousarray(array) for key, array in held.items()}
        options = {name: getattr(self, name) for name in ("one_hot_levels", "text_size", "character_size", "seed")}
        made = {"format": FORMAT, "options": options, "dropped": self.dropped, "features": states}
        (path / "encoder.json").write_text(json.dumps(made), encoding="utf-8")
        save_file(arrays, path / "encoder.safetensors")

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The encoder that ``save`` wrote, the same to the last bit. FolderError where the folder holds none."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = Path(folder)
        try:
            made = json.loads((path / "encoder.json").read_text(encoding="utf-8"))
            if made["format"] > FORMAT:
                raise FolderError(f"folder {path}", f"holds an encoder of format {made['format']}",
                                  f"this version reads up to {FORMAT}", "Update sharewise.")
            arrays = load_file(path / "encoder.safetensors")
            encoder = cls(**made["options"])
            encoder.dropped = made["dropped"]
            encoder._set([_restore(at, item, arrays) for at, item in enumerate(made["features"])])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            if isinstance(error, FolderError):
                raise
            raise FolderError(f"folder {path}", f"holds no readable encoder ({error})",
                              "it must be one that save wrote", "Fit and save again.") from error
        return encoder

    def _set(self, features: list[Feature]) -> None:
        self._features = features
        self.inputs = [Input(feature.name, feature.type) for feature in features]
        widths = [len(feature.names) for feature in features]
        self._places = [slice(low, high) for low, high in pairwise(np.cumsum([0, *widths]).tolist())]
        self._numbers = [(feature, place.start) for feature, place in zip(features, self._places, strict=True)
                         if isinstance(feature, Number)]
        self.names = [name for feature in features for name in feature.names]

    def _plain_numbers(self, table: pd.DataFrame, X: Float[Array, "N D"]) -> set[str]:
        """Fill in at one go the columns that are stored as plain numbers; the names of those that were."""
        dtypes = dict(zip(table.columns, table.dtypes, strict=True))
        plain = [(feature, at) for feature, at in self._numbers
                 if isinstance(dtypes[feature.name], np.dtype) and dtypes[feature.name].kind in "iufb"]
        names = [feature.name for feature, _ in plain]
        values = table[names].to_numpy(dtype=np.float64, copy=True) if plain else np.empty((0, 0))
        if not values.size or not max(np.fmax.reduce(values, None), -np.fmin.reduce(values, None)) <= LARGEST:
            return set()  # column by column, to name the one that is infinite; or all are missing
        values -= [feature.shift for feature, _ in plain]
        X[:, [at for _, at in plain]] = values
        return set(names)


def _restore(at: int, item: dict[str, Any], arrays: dict[str, Array]) -> Feature:
    own = {key.partition(".")[2]: array for key, array in arrays.items() if key.startswith(f"{at}.")}
    return TYPES[item["type"]].from_state(item["state"], own)
