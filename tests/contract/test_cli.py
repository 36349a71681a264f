"""The command line: what it understands, what it says, how it leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sharewise.base import DataError, FolderError, JobError
from sharewise.cli import exports, main
from sharewise.cli.cite import calls_in
from sharewise.cli.list_names import TOPICS, entries
from sharewise.cli.main import COMMANDS
from sharewise.cli.progress import Progress
from sharewise.cli.run_folder import RunFolder

HEAVY = ("torch", "pandas", "sklearn", "numpy", "lightgbm", "rich", "matplotlib")


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, sharewise.cli as c; c.main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"  sharewise {command}" in capsys.readouterr().out


def test_the_module_is_the_command() -> None:
    ended = subprocess.run([sys.executable, "-m", "sharewise", "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("sharewise ")


@pytest.mark.parametrize(("words", "said"), [
    (["ftt"], "command 'ftt' is not known; near names are 'fit'"),
    (["fit", "a.csv", "--target", "b", "--targets", "b", "--out", "m"], "option '--target' is not known"),
    (["fit", "a.csv", "--targets", "b", "--out", "m", "--tme-budget=5m"], "the nearest is --time-budget"),
    (["fit", "a.csv"], "--targets, --out"),
    (["fit", "a.csv", "b.csv", "--targets", "b", "--out", "m"], "argument 'b.csv' is one too many"),
    (["fit", "a.csv", "--targets", "b", "--out", "m", "--kind", "b"], "must be name=kind"),
    (["fit", "a.csv", "--targets", "b", "--out", "m", "--seed", "x"], "invalid int value"),
    (["fit", "a.csv", "--targets", "b", "--out", "m", "--resume", "--overwrite"], "only one of them"),
    (["list", "balancer"], "near names are 'balancers'"),
    (["cite", "UncertaintyWeigthing"], "'UncertaintyWeighting'"),
])
def test_wrong_usage_gets_a_four_part_message_and_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("error", "code"), [
    (DataError("a", "b", "c", "D."), 2), (FolderError("a", "b", "c", "D."), 2), (JobError("a", "b", "c", "D."), 1),
    (ZeroDivisionError("x"), 1), (KeyboardInterrupt(), 1),
])
def test_the_exit_code_follows_from_the_error(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(options: object) -> int:
        raise error

    monkeypatch.setattr(COMMANDS["list"], "run", fail)
    assert main(["list"]) == code
    assert "Traceback" not in capsys.readouterr().err
    if not isinstance(error, KeyboardInterrupt):
        with pytest.raises(type(error)):
            main(["list", "--debug"])


@pytest.mark.parametrize("topic", [*TOPICS, "datasets"])
def test_every_list_has_entries_with_a_line_each(topic: str) -> None:
    rows = entries(topic)
    assert rows
    assert all(name and summary for name, summary in rows)


def test_the_list_of_ways_of_sharing_says_what_each_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "sharing"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("  HardSharing"))
    shared, own = 2 * (64 * 64 + 64), 64 + 1

    def step(tasks: int) -> float:
        """Weights and gradients of so many tasks; inputs, layers, and activations, kept once for all."""
        return 4 * (2 * (shared + tasks * own) + 64 * 64 * 5) / 1000

    assert lines[at + 1].split() == (f"{shared / 1000:.3g}k parameters shared, {own} a task; "
                                     "8.45k multiply-adds a row for all, 33k one by one; "
                                     f"{step(4):.3g}kB a step for all, {4 * step(1):.3g}kB one by one").split()
    assert sum("multiply-adds a row" in line for line in lines) >= 16
    assert "4 tasks" in lines[0]


def test_a_list_shows_what_can_be_built_and_not_the_role_itself() -> None:
    names = [export.name for export in exports.methods("balance", "Balancer")]
    assert "UncertaintyWeighting" in names
    assert "Balancer" not in names


def test_cite_names_all_authors_whatever_their_names_are_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", "Krum"]) == 0
    assert capsys.readouterr().out.startswith("Blanchard, El Mhamdi, Guerraoui, Stainer (2017). Machine learning with ")
    text = "Blanchard and El Mhamdi 2017, A first. See Smith, van der Maaten, De Vito 2019, A second."
    assert [paper.authors for paper in exports.papers_in(text)] == [
        "Blanchard and El Mhamdi", "Smith, van der Maaten, De Vito"]


def test_cite_reads_the_calls_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": [{"call": "balance.Equal", "with": {"of": {"call": "task.Ordinal"}}}]}')
    assert list(calls_in(tmp_path)) == ["balance.Equal", "task.Ordinal"]


def test_a_stopped_fit_keeps_its_run_folder_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["sharewise", "fit", "a b.csv", "--out", "m", "--overwrite"])
    folder = RunFolder(tmp_path / "m", resume=False, overwrite=False)
    with pytest.raises(JobError, match=r"Go on with: sharewise fit 'a b.csv' --out m --resume$"), folder.kept_on_stop():
        folder.path.mkdir()
        interrupt()
    assert folder.path.exists()
    with pytest.raises(FolderError, match="Add --resume"):
        RunFolder(tmp_path / "m", resume=False, overwrite=False)
    assert not RunFolder(tmp_path / "m", resume=True, overwrite=False).is_complete()


def test_wrong_usage_leaves_no_run_folder_but_keeps_an_earlier_one(tmp_path: Path) -> None:
    for resume in (False, True):
        folder = RunFolder(tmp_path / "m", resume, overwrite=False)
        with pytest.raises(DataError), folder.kept_on_stop():
            folder.path.mkdir(exist_ok=True)
            raise DataError("a", "b", "c", "D.")
        assert folder.path.exists() == resume
        folder.path.mkdir(exist_ok=True)


def test_only_a_model_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("")
    with pytest.raises(FolderError, match="already"):
        RunFolder(tmp_path / "photos", resume=False, overwrite=False)
    with pytest.raises(FolderError, match="no model"):
        RunFolder(tmp_path / "photos", resume=False, overwrite=True)


def test_a_finished_run_leaves_the_model_alone(tmp_path: Path) -> None:
    def save(folder: Path, overwrite: bool) -> None:
        folder.mkdir(exist_ok=overwrite)
        (folder / "model.json").write_text("{}")

    folder = RunFolder(tmp_path / "m", resume=False, overwrite=False)
    folder.path.mkdir()
    (tmp_path / ".m.0123.draft").mkdir()
    folder.finish(save)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert RunFolder(tmp_path / "m", resume=True, overwrite=False).is_complete()


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for done in range(5):
            progress(SimpleNamespace(done=done, total=4, label="trees", seconds_left=4.0 - done))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["[0/4] trees - 4 s left", "[4/4] trees - 0 s left"]


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        progress(SimpleNamespace(done=4, total=4, label="trees", seconds_left=None))
    assert capsys.readouterr().err == ""
