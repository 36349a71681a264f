"""From arguments to an exit code: 0 done, 1 the job failed or was stopped, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from time import monotonic
from types import ModuleType

from .. import __version__
from ..base import JobError, NotFittedError, SharewiseError
from . import cite, demo, fit, judge, predict, relate, show
from . import list_names as list_
from .parser import Parser

COMMANDS: dict[str, ModuleType] = {
    "demo": demo, "fit": fit, "relate": relate, "predict": predict, "judge": judge, "show": show, "list": list_,
    "cite": cite,
}
STARTED = monotonic()  # a time budget counts everything, the imports too
DESCRIPTION = "Learns related things together, keeps apart what would hurt, and proves which is which."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and say how it went.

    Arguments: the words after ``sharewise`` (default: those of this process). Results go to standard output, progress
    and errors to standard error. No exception leaves, except a failure nobody foresaw under ``--debug``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        return _run(words, STARTED if arguments is None else monotonic())
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except SharewiseError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, (JobError, NotFittedError)) else 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has left, as in: sharewise list | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        print(f"error: {type(error).__name__}: {error}\nThis should not happen. Run again with --debug to see where.",
              file=sys.stderr)
        return 1


def _run(words: list[str], started: float) -> int:
    parser, commands = build_parser()
    if not words:
        parser.print_help()
        return 0
    options = parser.parse_strictly(words, commands)
    if "run" not in options:
        parser.error("a command is missing")
    options.started = started
    usual = warnings.formatwarning
    warnings.formatwarning = usual if options.debug else _say
    try:
        return options.run(options)
    finally:
        warnings.formatwarning = usual


def _say(message: Warning | str, category: type[Warning], *place: object, **more: object) -> str:
    """A warning in a line: what it says matters to whoever runs a command, and not where."""
    return f"warning: {message}\n" if category is UserWarning else f"warning: {category.__name__}: {message}\n"


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The whole command line, and the parser of each command by name."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show where an error came from")
    parser = Parser(prog="sharewise", description=DESCRIPTION,
                    epilog="Exit codes: 0 done, 1 the job failed or was stopped, 2 wrong usage.")
    parser.add_argument("--version", action="version", version=f"sharewise {__version__}")
    places = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    commands = {}
    for name, command in COMMANDS.items():
        text = (command.__doc__ or "").strip()
        line, _, more = text.partition("\n")
        commands[name] = places.add_parser(name, help=line[0].lower() + line[1:].rstrip("."), parents=[shared],  # type: ignore[list-item]
                                           description=line, epilog=more.strip("\n") or None)
        command.add_arguments(commands[name])
        commands[name].set_defaults(run=command.run, debug=False)
    return parser, commands
