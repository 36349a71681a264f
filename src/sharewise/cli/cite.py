"""Name the papers behind a fitted model, or behind one method.

  sharewise cite                      sharewise itself
  sharewise cite model/               everything that served a run
  sharewise cite UncertaintyWeighting
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..base import FolderError
from ..base.store import FORMAT, unseal
from .exports import Paper, exports, find, room_papers
from .parser import Parser

ALWAYS = ("plan", "judge")  # rooms whose methods serve every run
SOFTWARE = f"The sharewise developers (2026). sharewise {__version__}. Software, MIT licence."


def add_arguments(parser: Parser) -> None:
    """The argument of ``sharewise cite``."""
    parser.add_argument("what", metavar="MODEL|METHOD", nargs="?", help="a model folder, or a name from sharewise list")


def run(options: argparse.Namespace) -> int:
    """Print one paper a line."""
    if options.what is None:
        print(SOFTWARE)
    elif (Path(options.what) / "model.json").is_file():
        _cite_model(Path(options.what))
    elif Path(options.what).is_dir():
        raise FolderError(f"folder {options.what!r}", "holds no model.json", "it must be a folder that fit wrote",
                          "Check the path.")
    else:
        export = find(options.what)
        print("\n".join(map(str, export.papers)) or f"{export.room}.{export.name} follows no paper of its own.")
    return 0


def _cite_model(folder: Path) -> None:
    unseal(folder, FORMAT)
    used = sorted(set(calls_in(folder)))
    known = {f"{export.room}.{export.name}": export for room in {call.rpartition(".")[0] for call in used}
             for export in exports(room)}
    print(SOFTWARE)
    seen: set[Paper] = set()
    rows = [(call, paper) for call in used if call in known for paper in known[call].papers]
    rows += [(f"every run ({room})", paper) for room in ALWAYS for paper in room_papers(room)]
    for where, paper in rows:
        if paper not in seen:
            print(f"{paper}  [{where}]")
        seen.add(paper)


def calls_in(folder: Path) -> Iterator[str]:
    """The class, as room.Name, of every constructor call and every kind that the JSON files of a folder hold."""
    for path in sorted(folder.rglob("*.json")):
        try:
            yield from _calls(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise FolderError(f"file {str(path)!r}", f"is no JSON ({error})", "it must be as it was saved",
                              "Copy the folder again, or fit again.") from error


def _calls(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("call"), str):
            yield value["call"]
        if isinstance(value.get("kind"), str):
            yield f"task.{value['kind'].capitalize()}"
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _calls(part)
