"""Where a fit keeps what it has done, next to the model folder, so that it can be stopped and resumed."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from itertools import product
from pathlib import Path
from typing import Any

from ..base import DataError, FolderError, JobError, UsageError
from ..base.store import discard, is_taken


class RunFolder:
    """The folder OUT.run beside the model folder OUT.

    FolderError where OUT is in the way and neither ``resume`` nor ``overwrite`` says what to do about it.
    """

    def __init__(self, out: Path, resume: bool, overwrite: bool) -> None:
        if resume and overwrite:
            raise UsageError("--resume and --overwrite", "stand together", "only one of them can be meant", "Drop one.")
        if out.name in ("", ".."):
            raise UsageError(f"--out {str(out)!r}", "has no name", "it must be a folder to be made",
                             "Name one: --out model")
        self.out, self.resume, self.overwrite = out, resume, overwrite
        self.path = out.with_name(out.name + ".run")
        if is_taken(out) and not (resume or overwrite):
            raise FolderError(f"folder {out}", "exists already", "it must be new", "Add --overwrite, or change --out.")
        if overwrite and out.exists() and not _is_model(out) and (not out.is_dir() or any(out.iterdir())):
            raise FolderError(f"folder {out}", "holds something that is no model", "only a model is overwritten",
                              "Remove it yourself, or change --out.")
        if is_taken(self.path) and not (resume or overwrite):
            raise FolderError(f"folder {self.path}", "is left from a fit that was stopped", "it is not dropped unasked",
                              "Add --resume to go on, or --overwrite to start anew.")

    def is_complete(self) -> bool:
        """Whether a run to be resumed had ended already: the model is there, the run folder is not."""
        is_complete = self.resume and _is_model(self.out) and not self.path.exists()
        if is_complete:
            self._sweep()
        return is_complete

    def finish(self, save: Callable[..., None]) -> None:
        """Save the model in the place of what stood there, then let the run folder go, and drafts of killed runs."""
        save(self.out, overwrite=True)
        discard(self.path)
        self._sweep()

    def _sweep(self) -> None:
        for name, end in product((self.out.name, self.path.name), ("draft", "old")):
            for left in self.out.parent.glob(f".{escape(name)}.*.{end}"):
                shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def kept_on_stop(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM leave the run folder and say how to go on; wrong usage leaves nothing behind."""
        known = self.path.exists()
        if self.overwrite and known:
            discard(self.path)
            known = False
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            yield
        except KeyboardInterrupt as stop:
            raise JobError("the fit", "was stopped", f"what is done is kept in {self.path}",
                           f"Go on with: {_resume_line(sys.argv)}") from stop
        except (UsageError, DataError, FolderError) as error:
            has_work = isinstance(error, FolderError) and (self.path / "done").exists()  # saving failed: it can go on
            if not (known or has_work):
                discard(self.path)
            raise
        finally:
            signal.signal(signal.SIGTERM, before)


def _is_model(folder: Path) -> bool:
    return (folder / "model.json").is_file()


def _interrupt(signal_number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _resume_line(words: list[str]) -> str:
    rest = [word for word in words[1:] if word not in ("--resume", "--overwrite")]
    return shlex.join(["sharewise", *rest, "--resume"])
