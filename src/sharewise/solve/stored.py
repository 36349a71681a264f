"""Reading back what an estimator stored: whatever is wrong with the files becomes one clear error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from ..base.errors import FolderError


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn the errors of missing, short or changed files into a FolderError that names the folder."""
    try:
        yield
    except FolderError:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, SafetensorError) as error:
        raise FolderError(f"folder {folder}", f"holds no readable model ({error})", "it must be one that save wrote",
                          "Fit and save again.") from error


def write_model(file: Path, content: bytes) -> str:
    """Write a library's own model file; its digest, for the JSON file beside it."""
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def read_model(file: Path, digest: str) -> bytes:
    """The file's content; ValueError unless it has the digest, so that a library never parses a damaged model."""
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{file.name} was changed or cut short")
    return content
