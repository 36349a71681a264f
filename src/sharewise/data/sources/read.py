"""A path to a table: the format is chosen by the suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from ...base import DataError
from .arff import read_arff
from .arrow import read_arrow
from .delimited import read_delimited
from .excel import read_excel
from .jsonl import read_json_lines, read_json_records
from .parquet import read_parquet

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": read_delimited, ".tsv": read_delimited, ".txt": read_delimited, ".parquet": read_parquet,
    ".pq": read_parquet, ".feather": read_arrow, ".arrow": read_arrow, ".ipc": read_arrow, ".jsonl": read_json_lines,
    ".ndjson": read_json_lines, ".json": read_json_records, ".arff": read_arff, ".xlsx": read_excel}
PACKED = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".arff")  # these may also end in .gz


def read_table(path: str | Path) -> pd.DataFrame:
    """The table in a file, with the columns named as in the file and the rows in its order.

    The suffix says the format: ``.csv .tsv .txt`` (delimiter found by itself), ``.parquet .pq``,
    ``.feather .arrow .ipc``, ``.jsonl .ndjson`` (one object a line), ``.json`` (a list of records or an object of
    columns), ``.arff`` (Mulan's and MEKA's label lists land in ``frame.attrs["labels"]``), ``.xlsx`` (the first
    sheet; needs openpyxl); text formats also as ``.gz``. Empty cells, ``?``, ``NA`` and the like are missing.

    DataError, always naming the file: no such file (with the near name), a folder, an unknown suffix, an empty file,
    no rows, column names that stand twice, an unreadable file.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "shop.csv"
    >>> _ = path.write_text("size;colour\\n1,5;red\\n2,5;\\n")
    >>> read_table(path).to_dict("list")
    {'size': [1.5, 2.5], 'colour': ['red', nan]}
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"table {str(path)!r}", "is a folder", "it must be a file", "Name a file in it.")
    if not path.exists():
        raise _missing(path)
    reader = READERS.get(suffix_of(path))
    if reader is None:
        raise unknown_suffix(path)
    if path.stat().st_size == 0:
        raise DataError(f"table {str(path)!r}", "is an empty file", "it must have a header and rows",
                        "Check the export.")
    frame = reader(path)
    check_names(frame.columns, f"table {str(path)!r}")
    if not len(frame):
        raise DataError(f"table {str(path)!r}", "has no rows", "it needs 1 or more", "Check the export.")
    return frame


def suffix_of(path: Path) -> str:
    """The suffix that says the format; ``.gz`` is looked through where the format may be packed."""
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if suffix == ".gz" and inner in PACKED else suffix


def unknown_suffix(path: Path, known: Iterable[str] = READERS) -> DataError:
    """The error for a path whose suffix names no format."""
    return DataError(f"table {str(path)!r}", f"ends in {path.suffix!r}" if path.suffix else "has no suffix",
                     f"it must end in one of {' '.join(known)} (text formats also in .gz)", "Rename or convert it.")


def check_names(names: pd.Index | list[str], thing: str) -> None:
    """DataError where a column name stands twice."""
    index = pd.Index(names)
    if not index.is_unique:
        doubles = ", ".join(repr(str(name)) for name in index[index.duplicated()].unique()[:5])
        raise DataError(thing, f"has the column {doubles} more than once", "each column name may stand once",
                        "Rename or drop the doubles.")


def _missing(path: Path) -> DataError:
    folder = path.parent
    if not folder.is_dir():
        return DataError(f"table {str(path)!r}", "does not exist, nor does its folder", "it must be a file",
                         "Check the path.")
    known = [entry.name for entry in folder.iterdir() if entry.is_file()]
    near = get_close_matches(path.name, known, n=3, cutoff=0.5)
    do = f"Near names in that folder: {', '.join(map(repr, near))}." if near else "Check the path."
    return DataError(f"table {str(path)!r}", "does not exist", "it must be a file", do)
