"""What a fitted label method has learned, as JSON, arrays and estimators: for a folder without pickle."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import get_tags

from ...base.estimator import Estimator
from .chain import Chain
from .classifier import LabelClassifier
from .column import Column
from .homer import Branching
from .label_sets import Distinct, SetModel
from .label_space import LabelSpace
from .label_subsets import Voter
from .label_trees import LabelTree
from .nearest import NearestRows
from .neighbours import find_neighbours
from .task_classifier import TaskClassifier

Array = np.ndarray
TUPLES: dict[str, Any] = {kind.__name__: kind for kind in (Branching, Chain, Column, Distinct, LabelSpace, LabelTree,
                                                           SetModel, Voter)}


class Kept(NamedTuple):
    """A fitted label method taken apart: ``state`` is JSON that names ``arrays`` and ``models`` by their numbers."""

    state: Any
    arrays: list[Array]
    models: list[Estimator]


def take_to_pieces(method: LabelClassifier, rows: Float[Array, "N D"]) -> Kept:
    """A method that was fitted to these rows, over TaskClassifiers where it is built on classifiers. TypeError: it has
    learned something of a sort that is not known here."""
    kept = Kept(None, [], [])
    return kept._replace(state=_describe(method, kept, rows))


def _describe(value: Any, kept: Kept, rows: Array) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"array": _number(kept.arrays, np.ascontiguousarray(value))}
    if type(value).__name__ in TUPLES:
        return {"tuple": type(value).__name__, "of": [_describe(part, kept, rows) for part in value]}
    if isinstance(value, (list, tuple)):
        return [_describe(part, kept, rows) for part in value]
    if isinstance(value, TaskClassifier):
        return {"classifier": _number(kept.models, value.model_), "classes": _describe(value.classes_, kept, rows)}
    if isinstance(value, (NearestRows, NearestNeighbors)):
        return {"search": value.n_neighbors, "rows": _describe(rows, kept, rows)}
    if isinstance(value, Ridge):
        return {"ridge": [_describe(np.asarray(part), kept, rows) for part in (value.coef_, value.intercept_)]}
    if isinstance(value, LabelClassifier):
        given = {*inspect.signature(type(value)).parameters, "_takes"}
        return {"method": {name: _describe(part, kept, rows) for name, part in vars(value).items()
                           if name not in given}}
    raise TypeError(f"a fitted {type(value).__name__} can't be kept")


def _number(things: list[Any], thing: Any) -> int:
    things.append(thing)
    return len(things) - 1


def put_together(kept: Kept, unfitted: LabelClassifier) -> LabelClassifier:
    """The fitted method again, from one with the same parameters."""
    method = clone(unfitted)
    method._takes = get_tags(method).input_tags
    for name, part in kept.state["method"].items():
        setattr(method, name, _build(part, kept, method))
    return method


def _build(state: Any, kept: Kept, owner: Any) -> Any:
    if isinstance(state, list):
        return [_build(part, kept, owner) for part in state]
    if not isinstance(state, dict):
        return state
    if "array" in state:
        return kept.arrays[state["array"]]
    if "tuple" in state:
        return TUPLES[state["tuple"]](*(_build(part, kept, owner) for part in state["of"]))
    if "classifier" in state:
        model = kept.models[state["classifier"]]
        return TaskClassifier(model).as_fitted(model, _build(state["classes"], kept, owner))
    if "search" in state:
        return find_neighbours(_build(state["rows"], kept, owner), state["search"], owner.metric,
                               apart_from_itself=False)
    if "ridge" in state:
        model = Ridge()
        model.coef_, model.intercept_ = (_build(part, kept, owner) for part in state["ridge"])
        return model
    return put_together(kept._replace(state=state), owner.estimator)
