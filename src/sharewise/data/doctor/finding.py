"""What the doctor has to say."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing found in a table before training.

    ``level``: "error" (training would mean nothing), "warning" or "note"; ``code``: its sort, in one word; ``subject``:
    the task or column; ``columns``: the columns that it is about; ``message`` follows the subject's name, with the
    figures; ``remedy``: a sentence that names what to do.

    >>> print(Finding("note", "constant-feature", "bias", ("bias",), "has one value in all rows", "Drop it."))
    'bias' has one value in all rows. Drop it.
    """

    level: str
    code: str
    subject: str
    columns: tuple[str, ...]
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject!r} {self.message}. {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {**vars(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Finding:
        """The finding that ``to_json`` described."""
        return cls(**{**state, "columns": tuple(state["columns"])})


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in quotes for a sentence, the first ones of a long list.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def drop_option(names: Sequence[str], most: int = 20) -> str:
    """The option that leaves columns out, and of a long list its first ones.

    >>> drop_option(["a", "b c"])
    "--drop 'a,b c'"
    >>> drop_option(["a", "b", "c"], most=2)
    "--drop a,b,... (the finding's columns name all 3)"
    """
    shown = f"--drop {shlex.quote(','.join(str(name) for name in names[:most]))}"
    return shown if len(names) <= most else f"{shown},... (the finding's columns name all {len(names)})"
