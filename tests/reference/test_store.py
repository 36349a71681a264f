"""Folders are whole or not there, and checked when read."""

import json

import pytest

from sharewise.base import FolderError
from sharewise.base.store import seal, unseal, writing


def make(folder):
    with writing(folder) as draft:
        (draft / "part").mkdir()
        (draft / "part" / "a.txt").write_text("one")
        seal(draft, {"plan": 1}, version=1)
    return folder


def test_a_sealed_folder_gives_its_state_back(tmp_path):
    assert unseal(make(tmp_path / "m"), version=1)["plan"] == 1


def test_an_error_while_writing_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError), writing(tmp_path / "m") as draft:
        (draft / "a").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept_unless_overwriting_is_asked_for(tmp_path):
    folder = make(tmp_path / "m")
    with pytest.raises(FolderError, match="already exists"), writing(folder):
        pass
    with writing(folder, overwrite=True) as draft:
        seal(draft, {"plan": 2}, version=1)
    assert unseal(folder, version=1)["plan"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda folder: (folder / "part" / "a.txt").unlink(), "lacks the file 'part/a.txt'"),
    (lambda folder: (folder / "part" / "a.txt").write_text("two"), "changed file 'part/a.txt'"),
    (lambda folder: (folder / "more.txt").write_text("three"), "holds the file 'more.txt'"),
    (lambda folder: (folder / "model.json").write_text("{"), "no readable model.json"),
    (lambda folder: (folder / "model.json").unlink(), "no readable model.json"),
    (lambda folder: (folder / "model.json").write_text(json.dumps({"format": 9, "files": {}})), "has format 9"),
])
def test_a_spoilt_folder_is_refused_and_says_why(tmp_path, spoil, words):
    folder = make(tmp_path / "m")
    spoil(folder)
    with pytest.raises(FolderError, match=words):
        unseal(folder, version=1)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FolderError, match="does not exist"):
        unseal(tmp_path / "none", version=1)
