"""Every error of sharewise, in one tree; each is also the built-in error that it resembles.

SharewiseError
├── UsageError (ValueError)            an argument or option that can't be used
│   └── UnknownNameError (KeyError)    a name that is not among the known ones
├── DataError (ValueError)             a table, column, target or row that can't be used
├── NotFittedError (RuntimeError)      asked before fit
├── FolderError (OSError)              a model or run folder that can't be read or written
├── MissingPackageError (ImportError)  an optional package is not installed
└── JobError (RuntimeError)            the work itself failed or was stopped
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self


def shown(value: object) -> str:
    """A value as its user wrote it: the repr, without the name of a NumPy type.

    >>> import numpy as np
    >>> shown(np.float64(1.5)), shown("a")
    ('1.5', "'a'")
    """
    return repr(value.item() if hasattr(value, "item") else value)


class SharewiseError(Exception):
    """The root: ``thing was; must. do`` in one line, four parts that say all.

    >>> print(DataError("target 'grade'", "has 1 class in 212 rows", "it needs 2 or more", "Drop it from --targets."))
    target 'grade' has 1 class in 212 rows; it needs 2 or more. Drop it from --targets.
    """

    def __init__(self, thing: str, was: str, must: str, do: str) -> None:
        self.thing, self.was, self.must, self.do = thing, was, must, do
        super().__init__(f"{thing} {was}; {must}. {do}")

    def __str__(self) -> str:
        return f"{self.thing} {self.was}; {self.must}. {self.do}"

    def and_more(self, others: Sequence[str], most: int = 40) -> Self:
        """The same error, which also names ``others`` with such a trouble, so that all can be mended at once.

        >>> print(DataError("target 'a'", "is empty", "it needs 2 values", "Drop it.").and_more(["b", "c"]))
        target 'a' is empty; it needs 2 values. Drop it. The like of 2 more: b, c.
        """
        names = ", ".join(others[:most]) + (", ..." if len(others) > most else "")
        do = f"{self.do} The like of {len(others)} more: {names}." if others else self.do
        return type(self)(self.thing, self.was, self.must, do)

    def __reduce__(self):  # the four parts survive the way back from a worker process
        return type(self), (self.thing, self.was, self.must, self.do)


class UsageError(SharewiseError, ValueError):
    """An argument or option that can't be used as it stands."""


class UnknownNameError(UsageError, KeyError):
    """A name that is not known; the near names are suggested."""

    @classmethod
    def near(cls, thing: str, name: object, known: Iterable[object]) -> UnknownNameError:
        """The error for ``name``, with the nearest of the ``known`` names."""
        names = [str(k) for k in known]
        alike = [known for known in names if known.casefold() == str(name).casefold()]
        close = alike or get_close_matches(str(name), names, n=3, cutoff=0.5)
        shown = ", ".join(repr(n) for n in (close or names[:12])) or "none"
        more = "" if close or len(names) <= 12 else f" and {len(names) - 12} more"
        must = f"known are {shown}{more}" if not close else f"near names are {shown}"
        return cls(f"{thing} {name!r}", "is not known", must, "Check the spelling.")


class DataError(SharewiseError, ValueError):
    """A table, column, target or row that can't be used as it stands."""


class NotFittedError(SharewiseError, RuntimeError):
    """Something was asked of an object before it was fitted."""

    @classmethod
    def of(cls, thing: object) -> NotFittedError:
        """The error for an unfitted ``thing``."""
        return cls(type(thing).__name__, "is not fitted", "it must be fitted before it predicts", "Call fit first.")


class FolderError(SharewiseError, OSError):
    """A model or run folder that is missing, broken, newer, or in the way."""


class MissingPackageError(SharewiseError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> MissingPackageError:
        """The error when ``what`` needs ``package``, which comes with the ``extra``."""
        return cls(what, f"needs the package {package!r}, which is not installed", "it must be importable",
                   f"Run: pip install 'sharewise[{extra}]'")


class JobError(SharewiseError, RuntimeError):
    """The work failed or was stopped; what is done so far is kept where that is said."""
