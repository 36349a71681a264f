"""For all tests: shapes and types are checked at every call, data sets are found or skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("sharewise", "shapes.check")  # before the first import of sharewise

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of larger data sets: SHAREWISE_DATA, else ../shared/data beside the repository; skips without it."""
    folder = Path(os.environ.get("SHAREWISE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}: set SHAREWISE_DATA to their folder")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the data folder carries the marker ``data``."""
    for item in items:
        if "data_folder" in getattr(item, "fixturenames", ()):
            item.add_marker("data")
