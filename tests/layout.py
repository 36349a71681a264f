"""How the code is laid out: what a room's __init__ may hold, what no file may be called, how long files are."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "sharewise"
FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = [path for path in FILES if path.name == "__init__.py" and path.parent not in (SOURCE, SOURCE / "cli")]
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
LONGEST_FILE = 300
USUAL_FILE = 150


def short(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", ROOMS, ids=short)
def test_a_room_only_re_exports_one_name_a_line(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr), f"{short(path)} needs a docstring: what lives there"
    for node in body[1:]:
        right = isinstance(node, ast.ImportFrom) and node.level == 1 and len(node.names) == 1
        assert right, f"{short(path)}:{node.lineno} is no line of the form: from .mgda import MGDA as MGDA"
        name = node.names[0]
        assert name.asname == name.name, f"{short(path)}:{node.lineno} needs 'as {name.name}'"


def test_no_file_is_called_after_nothing() -> None:
    assert [short(path) for path in FILES if path.stem in NAMELESS] == []


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{short(path)} has {lines} lines: split it by idea"


def test_most_files_are_short() -> None:
    long = [short(path) for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > USUAL_FILE]
    assert len(long) <= 0.15 * len(FILES), f"over {USUAL_FILE} lines: {', '.join(long)}"


def test_nothing_is_pickled() -> None:
    """Loading a model folder never runs code that is in it."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            module = getattr(node, "module", None) or ""
            banned = {"pickle", "dill", "cloudpickle", "shelve", "marshal"} & {*names, module}
            assert not banned, f"{short(path)}:{node.lineno} imports {banned}"


def test_no_file_holds_a_promise_instead_of_code() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for word in ("TODO", "FIXME", "NotImplementedError"):
            assert word not in text, f"{short(path)} holds {word}"


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(need for extra in extras for need in extra)]
    names = {re.split(r"[<>=;\[ ]", need)[0].lower().replace("-", "_") for need in declared}
    names |= {"sklearn"} if "scikit_learn" in names else set()
    imported: dict[str, str] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            imported |= {module.split(".")[0]: short(path) for module in modules}
    foreign = {name: path for name, path in imported.items() if name not in {*sys.stdlib_module_names, "sharewise"}}
    assert {name: path for name, path in foreign.items() if name.lower() not in names} == {}
    core = {re.split(r"[<>=;\[ ]", need)[0].lower().replace("-", "_") for need in project["dependencies"]}
    unused = core - {name.lower() for name in foreign} - ({"scikit_learn"} if "sklearn" in foreign else set())
    assert unused <= {"pyarrow", "xgboost_cpu"}, f"no module imports {unused}"  # pandas reads Parquet through pyarrow
