"""The run folder: what a fit works on and what is done so far. Every candidate's results are whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..base import FolderError
from ..base.estimator import Estimator
from ..base.store import writing
from ..task import Task
from .candidate import Candidate
from .crossfit import CrossFit

Array = np.ndarray


class RunFolder:
    """A folder ``path`` with the arrays, the candidates, and one folder for each candidate that is done."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def start(self, X: Float[Array, "N D"], Y: Float[Array, "N W"], folds: Int[Array, "N"], tasks: Sequence[Task],
              candidates: Sequence[Candidate], config: dict[str, Any]) -> None:
        """Begin, or go on where the same work was begun. FolderError where the folder holds other work."""
        state = {"config": config, "data": _fingerprint(X, Y, folds), "tasks": [task.to_json() for task in tasks],
                 "candidates": [candidate.to_json() for candidate in candidates]}
        state = json.loads(json.dumps(state))
        work = self.path / "work"
        if work.is_dir():
            if self.state != state:
                raise FolderError(f"run folder {str(self.path)!r}", "holds another run",
                                  "table and options must be the same to resume", "Name another --out, or delete it.")
            return
        with writing(work) as draft:
            np.save(draft / "X.npy", X)
            np.save(draft / "Y.npy", Y)
            np.save(draft / "folds.npy", folds)
            (draft / "state.json").write_text(json.dumps(state), encoding="utf-8")

    @property
    def state(self) -> dict[str, Any]:
        """What was begun here."""
        return json.loads((self.path / "work" / "state.json").read_text(encoding="utf-8"))

    def arrays(self) -> tuple[Array, Array, Array]:
        """X, Y and folds, mapped from disk so that several processes share them."""
        X, Y, folds = (np.load(self.path / "work" / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                       for name in ("X", "Y", "folds"))
        return X, Y, folds

    def folder(self, candidate: Candidate) -> Path:
        """Where a candidate's models and predictions are once it is done."""
        return self.path / "done" / candidate.slug

    def is_done(self, candidate: Candidate) -> bool:
        """Whether a candidate's results are there (whole: they are moved in at once)."""
        return self.folder(candidate).is_dir()

    def keep(self, candidate: Candidate, fit: CrossFit, seconds: float) -> None:
        """Write a candidate's results, whole or not at all."""
        if self.is_done(candidate):
            return
        with writing(self.folder(candidate)) as draft:
            for part, models in enumerate(fit.models):
                for fold, model in enumerate(models):
                    model.save(draft / f"part-{part}" / f"fold-{fold}")
            arrays: dict[str, Any] = {f"task-{at}": mean for at, mean in enumerate(fit.means.values())}
            np.savez(draft / "means.npz", **arrays)
            result = {"seconds": seconds, "tasks": list(fit.means), "bytes": _size(draft),
                      "parameters": [sum(model.parameter_count for model in models) for models in fit.models],
                      "watched": [seen for models in fit.models for model in models for seen in model.watched_]}
            (draft / "result.json").write_text(json.dumps(result), encoding="utf-8")

    def result(self, candidate: Candidate) -> dict[str, Any]:
        """Seconds, bytes, parameters (of each part) and what was watched of a candidate that is done."""
        return json.loads((self.folder(candidate) / "result.json").read_text(encoding="utf-8"))

    def means(self, candidate: Candidate) -> dict[str, Float[Array, "N C"]]:
        """The out-of-fold means of a candidate that is done."""
        names = self.result(candidate)["tasks"]
        with np.load(self.folder(candidate) / "means.npz", allow_pickle=False) as arrays:
            return {name: arrays[f"task-{at}"] for at, name in enumerate(names)}

    def spent(self) -> float:
        """Seconds that earlier, broken-off work on this folder took."""
        file = self.path / "spent.json"
        return float(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else 0.0

    def spend(self, seconds: float) -> None:
        """Note how long the work has taken so far."""
        draft = self.path / ".spent.json"
        draft.write_text(json.dumps(seconds), encoding="utf-8")
        os.replace(draft, self.path / "spent.json")


def load_models(folder: Path) -> list[list[Estimator]]:
    """``models[part][fold]`` of a candidate's folder."""
    parts = sorted(folder.glob("part-*"), key=_number)
    return [[Estimator.load(fold) for fold in sorted(part.glob("fold-*"), key=_number)] for part in parts]


def _number(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _fingerprint(*arrays: Array) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(repr((array.shape, array.dtype.str)).encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
