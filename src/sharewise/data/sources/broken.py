"""What a reader says of a file that is not what its suffix promises."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ...base import DataError


def broken(path: Path, why: object) -> DataError:
    """The error for a file that can't be read as what its suffix says."""
    text = " ".join(str(why).split())[:200]
    return DataError(f"table {str(path)!r}", f"can't be read ({text})", f"it must be a whole {path.suffix} file",
                     "Write it again, or rename it if it is of another format.")


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """The file as UTF-8 text, unpacked if it ends in .gz; DataError where it is something else."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield cast(IO[str], file)
    except UnicodeDecodeError as error:
        raise DataError(f"table {str(path)!r}", f"is not UTF-8 (byte {error.object[error.start]:#x})",
                        "it must be UTF-8",
                        f"Convert it, e.g.: iconv -f WINDOWS-1252 -t UTF-8 {path.name}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise broken(path, error) from error
