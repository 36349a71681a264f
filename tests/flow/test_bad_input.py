"""What a table, an option or a folder that can't be used is told: four parts, code 2, and nothing left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sharewise as sw
from sharewise.base import DataError, FolderError, UsageError
from sharewise.cli import main

TINY = ["--families", "linear", "--workers", "0", "--folds", "3", "--quiet"]
BOTH = ["--targets", "price,sold"]
Table = pd.DataFrame | str | bytes | None
Case = tuple[Table, list[str], str]


def shop(rows: int = 60) -> pd.DataFrame:
    """A number, a yes-or-no and a class to predict from a number, a whole number and a town."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows)
    return pd.DataFrame({
        "size": size, "age": rng.integers(0, 40, rows).astype(float), "town": rng.choice(["Ulm", "Bonn", "Kiel"], rows),
        "price": 20 + 5 * size + rng.normal(size=rows), "sold": np.where(size + rng.normal(size=rows) > 0, "yes", "no"),
        "grade": rng.choice(["A", "B", "C"], rows)})


def spoiled(column: str, value: Any, row: int = 7) -> pd.DataFrame:
    """The shop with one cell changed."""
    cells = shop()[column].astype(object)
    cells[row] = value
    return shop().assign(**{column: cells})


def halves(table: pd.DataFrame) -> pd.DataFrame:
    """Every second row is a test row."""
    return table.assign(part=["train", "test"] * (len(table) // 2))


# What is wrong -> the table, the options, and a part of what must be said.
REFUSED: dict[str, Case] = {
    "no such file": (None, BOTH, "does not exist"),
    "an empty file": ("", BOTH, "empty"),
    "a file of blank lines": ("\n\n\n", BOTH, "empty"),
    "a header without rows": ("size,price,sold\n", BOTH, "no rows"),
    "a file that is no text": (b"\x8f\xff" * 99, BOTH, "UTF-8"),
    "rows of unequal width": ("a,b,price\n1,2,3\n1,2\n4,5,6,7\n" * 5, ["--targets", "price"], "line 4"),
    "a column name twice": ("size,size,price,sold\n1,2,3,yes\n", BOTH, "'size'"),
    "an unknown target": (shop(), ["--targets", "prize"], "'price'"),
    "a target twice": (shop(), ["--targets", "price,price"], "'price'"),
    "no target": (shop(), ["--targets", ""], "targets"),
    "a constant target": (shop().assign(price=1.0), BOTH, "'price'"),
    "a target that is nowhere observed": (shop().assign(sold=None), BOTH, "'sold'"),
    "a class of its own in every row": (shop().assign(sold=[f"r{n}" for n in range(60)]), BOTH, "'sold'"),
    "a class seen once": (spoiled("grade", "Z"), ["--targets", "price,grade"], "target 'grade' has 'Z' in one row"),
    "an infinite target": (spoiled("price", -np.inf), BOTH, "row 7"),
    "a target in numbers too large to square": (shop().assign(price=shop()["price"] * 1e300), BOTH, "other units"),
    "a target of numbers and text": (spoiled("price", "dear"), BOTH, "'dear' in row 7"),
    "a target of dates": (shop().assign(day=pd.date_range("2020-01-01", periods=60)), ["--targets", "day"], "'day'"),
    "an infinite feature": (spoiled("size", np.inf), BOTH, "column 'size' has inf in row 7"),
    "an infinite feature in a test row": (halves(spoiled("size", np.inf)), [*BOTH, "--split", "part"], "row 7"),
    "numbers and text in a feature": (spoiled("size", "big"), BOTH, "'big' in row 7"),
    "text in a test row of numbers": (halves(spoiled("size", "big")), [*BOTH, "--split", "part"], "row 7"),
    "no feature": (shop()[["price", "sold"]], BOTH, "no feature"),
    "constant features alone": (shop()[["price", "sold"]].assign(a=1), BOTH, "no column to learn from"),
    "one row": (shop(1), BOTH, "1 row"),
    "fewer rows than folds": (shop(6).assign(sold=["a", "b"] * 3), [*BOTH, "--folds", "7"], "6 rows"),
    "one group": (shop().assign(owner="me"), [*BOTH, "--group", "owner"], "'owner'"),
    "fewer groups than folds": (shop().assign(owner=["a", "b"] * 30), [*BOTH, "--group", "owner"], "2 groups"),
    "a row without a group": (shop().assign(owner=[None, *"abcde"] * 10), [*BOTH, "--group", "owner"], "row 0"),
    "an unknown group column": (shop(), [*BOTH, "--group", "twon"], "'town'"),
    "a target as group": (shop(), [*BOTH, "--group", "sold"], "also a target"),
    "a target as time": (shop(), [*BOTH, "--time", "price"], "also a target"),
    "a time that is none": (shop(), [*BOTH, "--time", "town"], "row 0"),
    "a row without a time": (shop().assign(day=[None, *range(59)]), [*BOTH, "--time", "day"], "empty in row 0"),
    "time and group together": (shop().assign(day=range(60)), [*BOTH, "--time", "day", "--group", "town"], "both"),
    "a split column of other words": (shop(), [*BOTH, "--split", "town"], "'town'"),
    "a split column and a share": (halves(shop()), [*BOTH, "--split", "part", "--test", "0.2"], "split column"),
    "test rows without a target": (
        halves(shop()).assign(price=[1.5, None] * 29 + [2.5, None], sold=["yes", None, "no", None] * 15),
        [*BOTH, "--split", "part"], "30 test rows"),
    "a share beyond 0.9": (shop(), [*BOTH, "--test", "1.5"], "1.5"),
    "a row without a task": (spoiled("town", None), ["--targets", "price", "--task-column", "town"], "row 7"),
    "a task without a target": (
        shop().assign(town=["Rom"] * 3 + ["Ulm"] * 57, price=[None] * 3 + list(range(57))),
        ["--targets", "price", "--task-column", "town"], "'price[Rom]'"),
    "an unknown task column": (shop(), ["--targets", "price", "--task-column", "twon"], "task column 'twon'"),
    "an unknown column to drop": (shop(), [*BOTH, "--drop", "twon"], "'town'"),
    "an unknown kind": (shop(), [*BOTH, "--kind", "price=foo"], "'regression'"),
    "a kind without a name": (shop(), [*BOTH, "--kind", "price"], "name=kind"),
    "a kind of no target": (shop(), [*BOTH, "--kind", "prize=count"], "'price'"),
    "a count with fractions": (shop(), [*BOTH, "--kind", "price=count"], "whole number"),
    "an ordinal without its order": (shop(), ["--targets", "grade", "--kind", "grade=ordinal"], "LOW<MID<HIGH"),
    "an ordinal with other levels": (shop(), ["--targets", "grade", "--kind", "grade=ordinal:low<mid"], "'A'"),
    "a time budget in words": (shop(), [*BOTH, "--time-budget", "soon"], "'soon'"),
    "a time budget of nothing": (shop(), [*BOTH, "--time-budget", "0"], "'0'"),
    "an unknown family": (shop(), [*BOTH, "--families", "tree"], "'trees'"),
    "no family": (shop(), [*BOTH, "--families", ""], "families"),
    "a family without a candidate": (shop(), [*BOTH, "--families", "chain", "--plan", "separate"], "chain"),
    "an unknown plan": (shop(), [*BOTH, "--plan", "seperate"], "'separate'"),
    "an unknown plan for one target": (shop(), ["--targets", "price", "--plan", "seperate"], "'separate'"),
    "a plan that is not there": (shop(), [*BOTH, "--plan", "nowhere.json"], "nowhere.json"),
    "one fold": (shop(), [*BOTH, "--folds", "1"], "folds"),
    "a negative seed": (shop(), [*BOTH, "--seed=-1"], "seed"),
    "an unknown option": (shop(), [*BOTH, "--fold", "3"], "--folds"),
    "--resume with --overwrite": (shop(), [*BOTH, "--resume", "--overwrite"], "together"),
}


def write(table: Table, path: Path) -> Path:
    """The table as a file, if it is one."""
    if isinstance(table, pd.DataFrame):
        table.to_csv(path, index=False)
    elif table is not None:
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
    return path


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a command that must end with code 2, its four parts checked."""
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr().err
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, said
    assert "Traceback" not in said
    assert "should not happen" not in said
    was, _, must = lines[0].partition("; ")
    assert was
    assert ". " in must
    return lines[0]


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_fit_that_cannot_be_is_refused_and_leaves_nothing(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    table, options, part = REFUSED[wrong]
    path = write(table, tmp_path / "shop.csv")
    before = list(tmp_path.iterdir())
    assert part in refusal(["fit", str(path), *TINY, *options, "--out", str(tmp_path / "model")], capsys)
    assert list(tmp_path.iterdir()) == before


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", "null", '{"groups": 3}', '{"groups": []}', '{"groups": [{"learns": ["price"]}]}',
    '{"groups": [{"learns": []}]}', '{"groups": [{"learns": ["price", "sold", "x"]}]}', '{"groups": ["price"]}',
    '{"groups": [{"learns": ["price", "sold"]}, {"learns": ["price"]}]}'])
def test_a_broken_plan_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, plan = write(shop(), tmp_path / "shop.csv"), write(text, tmp_path / "plan.json")
    words = ["fit", str(path), *TINY, *BOTH, "--plan", str(plan), "--out", str(tmp_path / "model")]
    assert "plan" in refusal(words, capsys)
    assert {left.name for left in tmp_path.iterdir()} == {"shop.csv", "plan.json"}


@pytest.mark.parametrize("out", ["", ".", "..", "/", "shop.csv", "shop.csv/model", "/proc/model", "m" * 300])
def test_a_model_folder_that_cannot_be_made_is_refused(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(shop(), tmp_path / "shop.csv")
    refusal(["fit", "shop.csv", *TINY, "--targets", "price", "--out", out], capsys)
    assert [left.name for left in tmp_path.iterdir()] == ["shop.csv"]


def test_a_folder_that_is_no_model_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(shop(), tmp_path / "shop.csv")
    words = ["fit", str(path), *TINY, "--targets", "price", "--overwrite", "--out", str(tmp_path)]
    assert "no model" in refusal(words, capsys)
    assert path.exists()


WORKS: dict[str, Case] = {
    "one target": (shop(), ["--targets", "price"], ""),
    "categories as the only features": (shop()[["town", "grade", "sold"]], ["--targets", "sold"], ""),
    "a feature without a value": (shop().assign(empty=None), BOTH, ""),
    "true and false as a target": (shop().assign(big=shop()["size"] > 0), ["--targets", "big,price"], ""),
    "odd names": (shop().rename(columns={"price": "pr/ice = <x>", "size": 'Größe "q" é/..', "town": "a b"}),
                  ["--targets", "pr/ice = <x>"], ""),
    "a target named like a set of labels": (shop().rename(columns={"price": "a=b+c"}), ["--targets", "a=b+c"], ""),
    "whole numbers for names": (shop().rename(columns={"size": "0", "price": "1"}), ["--targets", "1"], ""),
    "dates of several forms as time": (shop().assign(day=["2020-01-01", "Jan 5 2021", "2022-03-04"] * 20),
                                       [*BOTH, "--time", "day"], ""),
    "fewer groups than ten": (shop().assign(owner=[*"abcdef"] * 10), [*BOTH, "--group", "owner"], ""),
    "tasks of one row": (shop().assign(town=["Rom", "Bern"] + ["Ulm", "Bonn"] * 29),
                         ["--targets", "price,sold", "--task-column", "town"], ""),
    "a model in folders to be made": (shop(), ["--targets", "price", "--out", "new/folder/model"], ""),
}


@pytest.mark.parametrize("odd", WORKS)
def test_what_is_odd_but_right_is_fitted_and_predicted(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, options, _ = WORKS[odd]
    monkeypatch.chdir(tmp_path)
    write(table, tmp_path / "shop.csv")
    assert main(["fit", "shop.csv", *TINY, "--out", "model", *options]) == 0
    model = options[-1] if "--out" in options else "model"
    assert main(["predict", model, "shop.csv", "--out", "predicted.csv"]) == 0
    assert pd.read_csv("predicted.csv").notna().all(axis=None)


def test_forty_targets_are_fitted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"y{at}" for at in range(40)]
    many = pd.DataFrame(rng.normal(size=(60, 40)), columns=names).assign(x=rng.normal(size=60))
    path = write(many, tmp_path / "many.csv")
    assert main(["fit", str(path), *TINY, "--targets", ",".join(names), "--out", str(tmp_path / "model")]) == 0


# -- with a model ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shop.csv and the models wide, grouped and long."""
    place = tmp_path_factory.mktemp("models")
    path = write(shop().assign(owner=[*"abcdef"] * 10), place / "shop.csv")
    for name, options in {"wide": ["--drop", "owner"], "grouped": ["--group", "owner"],
                          "long": ["--drop", "owner", "--task-column", "town"]}.items():
        assert main(["fit", str(path), *TINY, *BOTH, *options, "--drop", "grade", "--out", str(place / name)]) == 0
    return place


FEATURES = shop()[["size", "age", "town"]]
PREDICTED: dict[str, tuple[str, Table, str]] = {
    "a column missing": ("wide", FEATURES.drop(columns="town"), "'town'"),
    "text for numbers": ("wide", FEATURES.assign(size="big"), "'size' has the text 'big' in row 0"),
    "an infinite number": ("wide", FEATURES.assign(size=np.inf), "row 0"),
    "no rows": ("wide", FEATURES.head(0), "no rows"),
    "no such table": ("wide", None, "does not exist"),
    "no such model": ("nothing", FEATURES, "does not exist"),
    "a table for a model": ("shop.csv", FEATURES, "folder"),
    "a task never seen": ("long", FEATURES.assign(town="Jena"), "'Jena' in row 0"),
    "the task column missing": ("long", FEATURES.drop(columns="town"), "'town'"),
}


@pytest.mark.parametrize("wrong", PREDICTED)
def test_a_prediction_that_cannot_be_is_refused(
    wrong: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    model, table, part = PREDICTED[wrong]
    new = write(table, tmp_path / "new.csv")
    assert part in refusal(["predict", str(models / model), str(new), "--out", str(tmp_path / "p.csv")], capsys)
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize("out", ["p.xlsx", "nowhere/p.csv", "new.csv/p.csv", "folder.csv", "/proc/p.csv", ""])
def test_predictions_that_cannot_be_written_are_refused(
    out: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(FEATURES, tmp_path / "new.csv")
    (tmp_path / "folder.csv").mkdir()
    refusal(["predict", str(models / "wide"), "new.csv", "--out", out], capsys)
    assert {left.name for left in tmp_path.iterdir()} == {"new.csv", "folder.csv"}


@pytest.mark.parametrize("table", [FEATURES.assign(town="Jena"), FEATURES.assign(town=None, size=None),
                                   FEATURES.head(1), FEATURES.assign(more=1)],
                         ids=["categories never seen", "empty cells", "one row", "further columns"])
def test_new_rows_that_can_be_predicted_are(table: pd.DataFrame, models: Path, tmp_path: Path) -> None:
    new = write(table, tmp_path / "new.csv")
    assert main(["predict", str(models / "wide"), str(new), "--out", str(tmp_path / "p.csv")]) == 0
    assert pd.read_csv(tmp_path / "p.csv").notna().all(axis=None)


JUDGED: dict[str, tuple[str, pd.DataFrame, str]] = {
    "no target columns": ("wide", FEATURES, "'price'"),
    "a class never seen": ("wide", shop().assign(sold="maybe"), "'maybe' in row 0"),
    "text for a number": ("wide", shop().assign(price="dear"), "row 0"),
    "no observed target": ("wide", shop().assign(price=None, sold=None), "no observed target"),
    "the group column missing": ("grouped", shop(), "'owner'"),
    "a row without a group": ("grouped", shop().assign(owner=["a", None] * 30), "row 1"),
    "a task never seen": ("long", shop().assign(town="Jena"), "'Jena'"),
}


@pytest.mark.parametrize("wrong", JUDGED)
def test_a_table_that_cannot_be_judged_on_is_refused(
    wrong: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    model, table, part = JUDGED[wrong]
    assert part in refusal(["judge", str(models / model), str(write(table, tmp_path / "new.csv"))], capsys)


@pytest.mark.parametrize(("model", "table"), [
    ("wide", shop(1)), ("wide", shop().assign(price=None)), ("grouped", shop().assign(owner="a")), ("long", shop(1))],
    ids=["one row", "one target unobserved", "one group", "one row of one task"])
def test_little_evidence_is_judged_without_a_verdict(model: str, table: pd.DataFrame, models: Path,
                                                     tmp_path: Path) -> None:
    assert main(["judge", str(models / model), str(write(table, tmp_path / "new.csv"))]) == 0


def test_a_page_that_cannot_be_written_is_refused(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["judge", str(models / "wide"), str(models / "shop.csv"), "--html", str(models / "nowhere" / "page.html")]
    assert "page.html" in refusal(words, capsys)


def edit(**changes: Any) -> Callable[[Path], object]:
    """Change what model.json says."""
    def change(model: Path) -> None:
        state = json.loads((model / "model.json").read_text(encoding="utf-8"))
        (model / "model.json").write_text(json.dumps({**state, **changes}), encoding="utf-8")
    return change


def largest(model: Path) -> Path:
    """The largest file of the fitted candidates."""
    files = [path for path in (model / "members").rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def cut(path: Path) -> None:
    """Lose the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "model.json cut short": lambda model: cut(model / "model.json"),
    "model.json empty": lambda model: (model / "model.json").write_bytes(b""),
    "model.json of other bytes": lambda model: (model / "model.json").write_bytes(b"\xff\xfe\x00"),
    "model.json gone": lambda model: (model / "model.json").unlink(),
    "a newer version": edit(format=99),
    "a version that is none": edit(format="x"),
    "a list of files that is none": edit(files=[1]),
    "a file cut short": lambda model: cut(largest(model)),
    "a file gone": lambda model: largest(model).unlink(),
    "the candidates gone": lambda model: shutil.rmtree(model / "members"),
    "a file swapped": lambda model: shutil.copy(model / "report.json", model / "encoder" / "encoder.json"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_by_every_command(
    damage: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    model = Path(shutil.copytree(models / "wide", tmp_path / "model"))
    DAMAGES[damage](model)
    table, out = str(models / "shop.csv"), str(tmp_path / "p.csv")
    for words in (["show"], ["cite"], ["judge", table], ["predict", table, "--out", out]):
        assert str(model) in refusal([words[0], str(model), *words[1:]], capsys)
    assert not (tmp_path / "p.csv").exists()


# -- in Python ---------------------------------------------------------------------------------------------------
def learner(**options: Any) -> sw.Learner:
    """A Learner that fits in an instant."""
    return sw.Learner(**{"families": ("linear",), "workers": 0, "folds": 3, **options})


@pytest.mark.parametrize("options", [
    {"folds": 1}, {"folds": 51}, {"seed": -1}, {"workers": -1}, {"time_budget": -1}, {"time_budget": float("nan")},
    {"families": ()}, {"families": "linear"}, {"families": ["tree"]}, {"drop": "town"}],
    ids=str)
def test_a_learner_checks_its_options_when_it_is_made(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        learner(**options)


@pytest.mark.parametrize(("options", "part"), [
    ({"targets": []}, "targets"), ({"targets": ["price"], "time": 5}, "'5'"),
    ({"targets": ["price"], "test": -0.1}, "test")], ids=str)
def test_a_fit_checks_its_arguments(options: dict[str, Any], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        learner().fit(shop(), **options)


@pytest.mark.parametrize("table", [None, [], pd.DataFrame(), np.zeros(3), np.zeros((2, 2, 2)), {"a": [1], "b": [1, 2]}],
                         ids=["nothing", "an empty list", "an empty frame", "1-D", "3-D", "unequal columns"])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(DataError):
        learner().fit(table, targets=["a"])


def test_columns_may_be_named_by_whole_numbers() -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4)))
    fitted = learner(drop=[3]).fit(table, targets=[0, 1])
    assert list(fitted.predict(table).columns) == ["0", "1"]


def test_a_polars_frame_and_an_array_are_tables() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(shop())
    assert learner().fit(frame, targets=["price", "sold"]).predict(frame).shape == (60, 2)
    array = np.random.default_rng(0).normal(size=(40, 3))
    assert learner().fit(array, targets=["x0"]).predict(array).shape == (40, 1)


@pytest.mark.parametrize("times", [pd.date_range("2020", periods=60, tz="CET"), pd.period_range("2020", periods=60),
                                   pd.to_timedelta(range(60), unit="h")], ids=["time zone", "period", "duration"])
def test_a_time_may_be_of_any_sort(times: Any) -> None:
    fitted = learner().fit(shop().assign(when=times), targets=["price"], time="when")
    assert fitted.report_.split == "3 folds, blocks in time"


def test_a_file_is_never_overwritten_by_a_model(tmp_path: Path) -> None:
    path = write("precious", tmp_path / "notes")
    fitted = learner().fit(shop(), targets=["price"])
    with pytest.raises(FolderError, match="is a file"):
        fitted.save(path, overwrite=True)
    assert path.read_text() == "precious"
