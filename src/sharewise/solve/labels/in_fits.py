"""Which methods of this room can compete in a fit, and how they are built over an estimator of tasks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ...base import UnknownNameError, UsageError, catalogue
from ...base.estimator import Estimator
from .classifier import LabelClassifier
from .task_classifier import TaskClassifier

ROOM = "solve.labels"


def methods_in_fits() -> list[str]:
    """The names of the methods that can compete in a fit.

    >>> "RAkELo" in methods_in_fits(), "TunedDecision" in methods_in_fits()
    (True, False)
    """
    return [name for name, kind in catalogue.classes(ROOM, LabelClassifier).items()
            if issubclass(kind, LabelClassifier) and not kind.not_in_fits]


def method_class(name: Any) -> type[LabelClassifier]:
    """The class of a method for fits. UnknownNameError, with near names: there is none. UsageError: it is not for fits,
    and why."""
    known = catalogue.classes(ROOM, LabelClassifier)
    if name not in known:
        raise UnknownNameError.near("label method", str(name), methods_in_fits())
    kind: type[LabelClassifier] = known[name]
    if kind.not_in_fits:
        raise UsageError(f"label method {name!r}", "can't be a candidate of a fit", kind.not_in_fits,
                         f"Name others: {', '.join(methods_in_fits())}.")
    return kind


def needs_base(name: str) -> bool:
    """Whether a method is built on another estimator."""
    return "estimator" in inspect.signature(method_class(name)).parameters


def build_method(name: str, base: Estimator, options: Mapping[str, Any], seed: int) -> LabelClassifier:
    """An unfitted method over copies of ``base``. Methods over label methods stand over what is usual for them."""
    kind = method_class(name)
    given: dict[str, Any] = dict(options)
    if needs_base(name):
        inner: Any = TaskClassifier(base)
        given["estimator"] = catalogue.load(ROOM, kind.usual_inside)(inner) if kind.over_labels else inner
    if "seed" in inspect.signature(kind).parameters:
        given.setdefault("seed", seed)
    return kind(**given)
