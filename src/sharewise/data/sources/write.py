"""A table to a file: the format is chosen by the suffix."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ...base import FolderError
from .read import suffix_of, unknown_suffix


def write_table(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write ``frame`` without its index and give back the path; a file is either written whole or not at all.

    Suffixes: ``.csv .tsv .txt .jsonl .ndjson`` (also ``.gz``), ``.parquet .pq``, ``.feather .arrow .ipc``.
    DataError on any other, FolderError where there is no such folder.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> from sharewise.data import read_table
    >>> read_table(write_table(pd.DataFrame({"a": [1, 2]}), folder + "/t.jsonl")).a.tolist()
    [1, 2]
    """
    path = Path(path)
    writer = WRITERS.get(suffix_of(path))
    if writer is None:
        raise unknown_suffix(path, WRITERS)
    if not path.parent.is_dir():
        raise FolderError(f"folder {str(path.parent)!r}", "does not exist",
                          "a table is written into an existing folder", "Make it first.")
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        writer(frame.reset_index(drop=True), part)
        os.replace(part, path)
    except OSError as error:
        raise FolderError(f"table {str(path)!r}", f"can't be written ({error.strerror or error})",
                          "it must be a file in a folder that can be written to", "Name another.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def _tsv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, sep="\t")


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, engine="pyarrow", index=False)


def _feather(frame: pd.DataFrame, path: Path) -> None:
    frame.to_feather(path)


def _json_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, date_format="iso", double_precision=15)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _csv, ".txt": _csv, ".tsv": _tsv, ".parquet": _parquet, ".pq": _parquet, ".feather": _feather,
    ".arrow": _feather, ".ipc": _feather, ".jsonl": _json_lines, ".ndjson": _json_lines}
