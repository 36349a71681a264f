"""A method for label sets as an estimator of tasks, so that it competes in a fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.utils import get_tags

from ...base.estimator import Estimator, Means
from ...task import Task, slices
from ..linear.design import Design
from ..stored import reading
from .in_fits import build_method, method_class
from .kept import Kept, put_together, take_to_pieces

Array = np.ndarray
LABELS = ("binary", "multilabel")  # kinds that label methods are for
FEWEST_ROWS = 2


class LabelMethod(Estimator):
    """All labels (binary tasks, and those of multilabel tasks) by one ``method`` of this room over copies of ``base``,
    an unfitted estimator; every other task by a copy of ``base``, alone.

    The method learns from the rows in which all labels are observed, for hardly one of them can do with less. ``base``
    alone learns a label that is never observed, and all labels where there are not two to learn together in two
    complete rows. Probabilities stay half a row away from 0 and 1: 1 / (2 N + 2) at least, which is what a label that
    was on in none of N rows has. A method that takes no missing features sees them filled and standardised. Which
    methods there are: Tsoumakas, Katakis 2007, Multi-label classification: an overview; each names its own paper.

    ``method`` is the name of a class in this room, ``options`` are parameters of its constructor. UnknownNameError,
    UsageError: no such method, or one that can't be part of a fit, and why.

    >>> import numpy as np
    >>> from sharewise.solve.linear import Linear
    >>> from sharewise.task import Binary, Task
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> tasks = [Task("a", Binary()), Task("b", Binary())]
    >>> model = LabelMethod(tasks, Linear(tasks), method="ClassifierChain").fit(X, (X > 0).astype(float))
    >>> model.predict(np.array([[2.0, -2.0]]))["b"].tolist()
    [0]
    """

    family: ClassVar[str] = "labels"
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    def __init__(self, tasks: Sequence[Task], base: Estimator, method: str = "LabelPowerset",
                 options: Mapping[str, Any] | None = None, seed: int = 0) -> None:
        method_class(method)
        self.tasks, self.base, self.method, self.options, self.seed = tasks, base, method, options, seed

    @property
    def shares(self) -> bool:
        together = [task for task in self.tasks if task.kind.name in LABELS]
        return len(together) > 1 and not method_class(self.method).label_by_label

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        where = slices(self.tasks)
        seen = [bool((~np.isnan(Z[:, where[task.name]])).any(axis=0).all()) for task in self.tasks]
        joint = [at for at, task in enumerate(self.tasks) if task.kind.name in LABELS and seen[at]]
        Y = np.hstack([np.empty((len(X), 0)), *(Z[:, where[self.tasks[at].name]] for at in joint)])
        rows = np.flatnonzero(~np.isnan(Y).any(axis=1))
        if Y.shape[1] < 2 or len(rows) < FEWEST_ROWS:
            joint = []
        self._joint, self._lowest = joint, 0.5 / (len(rows) + 1.0)
        if joint:
            method = self._unfitted()
            self._design = None if get_tags(method).input_tags.allow_nan else Design.fit(X[rows])
            own = self._designed(X[rows])
            self._fitted = method.fit(own, Y[rows].astype(np.int64))
            self._kept = take_to_pieces(self._fitted, own)
        alone = self._alone()
        self._rest = clone(self.base).set_params(tasks=alone).fit(
            X, np.hstack([Z[:, where[task.name]] for task in alone])) if alone else None

    def _unfitted(self) -> Any:
        return build_method(self.method, self.base, self.options or {}, self.seed)

    def _designed(self, X: Float[Array, "N D"]) -> Float[Array, "N E"]:
        return X if self._design is None else self._design.apply(X).astype(np.float32)

    def _alone(self) -> list[Task]:
        return [task for at, task in enumerate(self.tasks) if at not in self._joint]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        means: Means = {}
        if self._joint:
            rows: Int[Array, "n"] = np.flatnonzero(wanted[:, self._joint].any(axis=1))
            sizes = [self.tasks[at].kind.outputs for at in self._joint]
            found = np.zeros((len(X), sum(sizes)))
            if len(rows):
                chances = self._fitted.predict_proba(self._designed(X[rows]))
                found[rows] = np.clip(chances, self._lowest, 1 - self._lowest)
            parts = np.split(found, np.cumsum(sizes)[:-1], axis=1)
            means = {self.tasks[at].name: part for at, part in zip(self._joint, parts, strict=True)}
        if self._rest is not None:
            means |= self._rest.predict_mean(X)
        return means

    def _count_parameters(self) -> int:
        count = 0 if self._rest is None else self._rest.parameter_count
        if self._joint:
            count += sum(array.size for array in self._kept.arrays)
            count += sum(model.parameter_count for model in self._kept.models)
        return count

    def _save(self, folder: Path) -> None:
        state = {"joint": self._joint, "lowest": self._lowest}
        if self._joint:
            design = {} if self._design is None else self._design._asdict()
            state |= {"method": self._kept.state, "models": len(self._kept.models)}
            arrays = {f"array-{at}": array for at, array in enumerate(self._kept.arrays)}
            arrays |= {f"design-{name}": np.ascontiguousarray(array) for name, array in design.items()}
            save_file(arrays, folder / "method.safetensors")
            for at, model in enumerate(self._kept.models):
                model.save(folder / f"model-{at}")
        if self._rest is not None:
            self._rest.save(folder / "alone")
        (folder / "method.json").write_text(json.dumps(state), encoding="utf-8")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            state = json.loads((folder / "method.json").read_text(encoding="utf-8"))
            self._joint, self._lowest = state["joint"], state["lowest"]
            if self._joint:
                arrays = load_file(folder / "method.safetensors")
                design = {name: arrays.pop(f"design-{name}") for name in Design._fields if f"design-{name}" in arrays}
                self._design = Design(**design) if design else None
                models = [Estimator.load(folder / f"model-{at}") for at in range(state["models"])]
                self._kept = Kept(state["method"], [arrays[f"array-{at}"] for at in range(len(arrays))], models)
                self._fitted = put_together(self._kept, self._unfitted())
        self._rest = Estimator.load(folder / "alone") if self._alone() else None
