"""Folders that are whole or not there: written beside their place and moved in, checked file by file when read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import FolderError

SEAL = "model.json"
FORMAT = 1  # of model folders; a newer one is refused


@contextmanager
def writing(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """A fresh folder to write into; it takes the place of ``folder`` at once when the block ends without error.

    FolderError if ``folder`` exists and ``overwrite`` is False, if a file stands there, or if it can't be made. After
    an error nothing is left behind.
    """
    folder = Path(folder)
    thing = f"folder {str(folder)!r}"
    if is_taken(folder) and not overwrite:
        raise FolderError(thing, "already exists", "it must be new", "Name another, or ask to overwrite it.")
    if folder.is_file():
        raise FolderError(thing, "is a file", "only a folder is overwritten", "Name another.")
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.draft")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
    except OSError as error:
        raise cannot_make(folder, error) from error
    try:
        yield draft
        if folder.exists():
            old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.old")
            os.replace(folder, old)
            os.replace(draft, folder)
            shutil.rmtree(old)
        else:
            os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def is_taken(folder: Path) -> bool:
    """Whether something stands at a path. FolderError where nothing ever can."""
    try:
        return folder.exists()
    except OSError as error:
        raise cannot_make(folder, error) from error


def cannot_make(folder: Path, error: OSError) -> FolderError:
    """The error for a folder that the system refuses to make."""
    return FolderError(f"folder {str(folder)!r}", f"can't be made ({error.strerror})",
                       "it must be a name in a folder that can be written to", "Name another.")


def discard(folder: Path) -> None:
    """Remove a folder so that it is whole until it is gone, however the process ends."""
    if folder.exists():
        left = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.old")
        os.replace(folder, left)
        shutil.rmtree(left, ignore_errors=True)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal(folder: Path, state: dict[str, Any], version: int) -> None:
    """Write ``model.json`` last: the state, the format version, and the digest of every other file."""
    files = {path.relative_to(folder).as_posix(): digest(path)
             for path in sorted(folder.rglob("*")) if path.is_file() and path.name != SEAL}
    text = json.dumps({"format": version, **state, "files": files}, indent=1)
    (folder / SEAL).write_text(text, encoding="utf-8")


def unseal(folder: Path, version: int) -> dict[str, Any]:
    """The state that ``seal`` wrote, once version and every file are checked.

    FolderError if the folder is missing, holds no model, is of a newer version, or a file is missing or changed.
    """
    folder = Path(folder)
    thing = f"model folder {str(folder)!r}"
    if not folder.is_dir():
        raise FolderError(thing, "does not exist", "it must be a folder that save wrote", "Check the path.")
    try:
        state: dict[str, Any] = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        found, files = int(state["format"]), dict(state["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(thing, f"has no readable {SEAL} ({error})", "it must be a whole folder that save wrote",
                          "Copy it again, or fit again.") from error
    if found > version:
        raise FolderError(thing, f"has format {found}", f"this version of sharewise reads up to format {version}",
                          "Upgrade sharewise.")
    strange = sorted({path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
                     - {*files, SEAL})
    if strange:
        raise FolderError(thing, f"holds the file {strange[0]!r}, which is not its own", "it must be as it was saved",
                          "Remove the file, or fit again.")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise FolderError(thing, f"lacks the file {name!r}", "it must be whole", "Copy it again, or fit again.")
        if digest(path) != expected:
            raise FolderError(thing, f"holds a changed file {name!r}", "every file must be as it was saved",
                              "Copy it again, or fit again.")
    return state
