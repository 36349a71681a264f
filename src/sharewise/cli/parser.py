"""The parser behind every command: argparse, whose mistakes come as our four-part errors with near names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from ..base import UnknownNameError, UsageError


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of leaving the process."""

    def __init__(self, **options) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError("the command line", f"can't be read ({message})", "it must follow the usage",
                         f"Run: {self.prog} --help")

    def parse_strictly(self, arguments: Sequence[str], known: dict[str, Parser]) -> argparse.Namespace:
        """The options of one of the ``known`` commands. UnknownNameError, with near names, for anything else."""
        if arguments and not arguments[0].startswith("-") and arguments[0] not in known:
            raise UnknownNameError.near("command", arguments[0], known)
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            self._reject(unknown[0], known.get(arguments[0], self))
        return options

    def _reject(self, argument: str, parser: Parser) -> NoReturn:
        name = argument.partition("=")[0]
        if not name.startswith("-"):
            raise UsageError(f"argument {argument!r}", "is one too many", "each table and folder may stand once",
                             f"Run: {parser.prog} --help")
        options = [option for option in parser._option_string_actions if option.startswith("--")]
        close = get_close_matches(name, options, n=1, cutoff=0.6)
        must = f"the nearest is {close[0]}" if close else f"known are {', '.join(options)}"
        raise UsageError(f"option {name!r}", "is not known", must, f"Run: {parser.prog} --help")


def names(text: str) -> list[str]:
    """A comma-separated list; blanks around a name do not count.

    >>> names("price, sold,grade")
    ['price', 'sold', 'grade']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def pair(text: str) -> tuple[str, str]:
    """``name=spec`` as the two parts; the spec may hold more equal signs.

    >>> pair("grade=ordinal:low<mid<high")
    ('grade', 'ordinal:low<mid<high')
    """
    name, equals, spec = text.partition("=")
    if not (name.strip() and equals and spec.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} must be name=kind, such as grade=ordinal:low<mid<high")
    return name.strip(), spec.strip()
