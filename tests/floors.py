"""Imports point down the floors only, and rooms on one floor are blind to each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "sharewise"

FLOORS = {
    "base": 0,
    "task": 1,
    "data": 2, "relate": 2, "share": 2, "balance": 2, "judge": 2, "solve": 2, "search": 2,
    "train": 3,
    "plan": 4,
    "serve": 5,
    "cli": 6,
    "": 7,  # sharewise/__init__.py and __main__.py, which only pass on
}

# (importing file, imported room): why it may. A line that is no longer needed fails.
EXCEPTIONS = {
    ("base/estimator.py", "task"): "the role names Task and Scale in its signatures; read when called, not at import",
    ("base/catalogue.py", "*"): "loads an export by the room and name it is given (importlib)",
}


def files() -> list[Path]:
    """Every module of the package."""
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The room that a file stands in; empty for the package itself."""
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else ""


def imported_rooms(path: Path) -> dict[str, int]:
    """Room -> line of every import of the package's own modules in a file, however deep it stands."""
    package = ("sharewise", *path.relative_to(SOURCE).parent.parts)
    found: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules: list[tuple[str, ...]] = []
        if isinstance(node, ast.Import):
            modules = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            whole = (*start, *(node.module.split(".") if node.module else ()))
            modules = [(*whole, alias.name) for alias in node.names] if len(whole) == 1 else [whole]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            modules = [("sharewise", "*")]
        for module in modules:
            if module[0] == "sharewise" and len(module) > 1 and not module[1].startswith("__"):
                found.setdefault(module[1], node.lineno)
    return found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down_the_floors(path: Path) -> None:
    room = room_of(path)
    assert room in FLOORS, f"{room} is no room of the house: draw it in tests/floors.py and docs/architecture.md first"
    for other, line in imported_rooms(path).items():
        allowed = (str(path.relative_to(SOURCE)), other) in EXCEPTIONS or room == ""
        same = other == room
        assert allowed or same or (other in FLOORS and FLOORS[other] < FLOORS[room]), (
            f"{path.relative_to(SOURCE)}:{line} imports {other} (floor {FLOORS.get(other)}) from {room} "
            f"(floor {FLOORS[room]}); imports point down only"
        )


@pytest.mark.parametrize(("file", "room"), EXCEPTIONS, ids=lambda part: str(part))
def test_every_exception_is_still_needed(file: str, room: str) -> None:
    assert room in imported_rooms(SOURCE / file), f"{file} no longer imports {room}: delete the exception"
