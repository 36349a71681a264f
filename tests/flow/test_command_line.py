"""From a file to a served answer on the command line; and what bad input is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sharewise.cli import main

QUICK = ["--families", "linear", "--workers", "0", "--quiet"]


def shop(rows: int = 120) -> pd.DataFrame:
    """A table with a number, a yes-or-no and an ordered class to predict, with gaps in features and targets."""
    rng = np.random.default_rng(0)
    size, age = rng.normal(size=rows), rng.integers(0, 40, rows).astype(float)
    price = 20 + 5 * size - 0.2 * age + rng.normal(size=rows)
    table = pd.DataFrame({"size": size, "age": age, "town": rng.choice(["Ulm", "Bonn", "Kiel"], rows), "price": price,
                          "sold": np.where(price + rng.normal(size=rows) < 16, "yes", "no"),
                          "grade": pd.cut(price, [-99, 14, 18, 99], labels=["low", "mid", "high"]).astype(str)})
    table.loc[rng.random(rows) < 0.2, "age"] = np.nan
    table.loc[rng.random(rows) < 0.3, "grade"] = None
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shop.csv and a model fitted on it by the command line."""
    place = tmp_path_factory.mktemp("shop")
    shop().to_csv(place / "shop.csv", index=False)
    words = ["fit", str(place / "shop.csv"), "--targets", "price,sold", "--targets", "grade", "--kind",
             "grade=ordinal:low<mid<high", "--test", "0.2", "--out", str(place / "model"), *QUICK]
    assert main(words) == 0
    return place


def test_a_fit_leaves_a_model_with_its_report_and_no_run_folder(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"shop.csv", "model"}
    assert {"model.json", "report.html", "report.json"} <= {path.name for path in (folder / "model").iterdir()}


def test_predict_writes_a_row_for_each_row(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "predicted.csv"
    assert main(["predict", str(folder / "model"), str(folder / "shop.csv"), "--out", str(out)]) == 0
    predicted = pd.read_csv(out)
    assert list(predicted.columns) == ["price", "sold", "grade"]
    assert len(predicted) == 120
    assert predicted.notna().all(axis=None)
    assert set(predicted["grade"]) <= {"low", "mid", "high"}


def test_predict_with_proba_gives_a_column_a_class(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "predicted.parquet"
    assert main(["predict", str(folder / "model"), str(folder / "shop.csv"), "--out", str(out), "--proba"]) == 0
    predicted = pd.read_parquet(out)
    assert list(predicted.columns) == ["price", "sold=no", "sold=yes", "grade=low", "grade=mid", "grade=high"]
    np.testing.assert_allclose(predicted[["sold=no", "sold=yes"]].sum(axis=1), 1.0)


def test_judge_prints_a_table_a_page_or_json(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["judge", str(folder / "model"), str(folder / "shop.csv")]
    assert main([*words, "--html", str(tmp_path / "report.html")]) == 0
    assert "price" in capsys.readouterr().out
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert main([*words, "--json"]) == 0
    assert [task["name"] for task in json.loads(capsys.readouterr().out)["tasks"]] == ["price", "sold", "grade"]


def test_show_and_cite_read_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder / "model")]) == 0
    assert "grade: ordinal" in capsys.readouterr().out
    assert main(["cite", str(folder / "model")]) == 0
    said = capsys.readouterr().out
    assert "Regression models for ordinal data" in said
    assert "Ensemble selection" in said


def test_resuming_what_is_complete_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "model" / "model.json").read_bytes()
    words = ["fit", str(folder / "shop.csv"), "--targets", "price", "--out", str(folder / "model"), "--resume"]
    assert main(words) == 0
    assert "nothing to resume" in capsys.readouterr().out
    assert (folder / "model" / "model.json").read_bytes() == before


def spoil(name: str) -> tuple[pd.DataFrame | str, list[str]]:
    """A bad table (or the text of its file), and the options to fit it with."""
    table, options = shop(), ["--targets", "price,sold"]
    if name == "empty file":
        return "", options
    if name == "unknown target":
        return table, ["--targets", "prize"]
    if name == "constant target":
        return table.assign(price=1.0), options
    if name == "target never observed":
        return table.assign(sold=None), options
    if name == "class target unique in every row":
        return table.assign(sold=[f"row {number}" for number in range(len(table))]), options
    if name == "columns of one name":
        return "size,size,price,sold\n1,2,3,yes\n", options
    if name == "infinite value":
        return table.assign(size=table["size"].where(table.index != 7, np.inf)), options
    if name == "mixed types":
        return table.assign(size=table["size"].astype(object).where(table.index != 7, "big")), options
    if name == "one row":
        return table.head(1), options
    if name == "fewer rows than folds":
        return table.head(4), options
    if name == "one group":
        return table.assign(owner="me"), [*options, "--group", "owner"]
    if name == "unknown column to drop":
        return table, [*options, "--drop", "twon"]
    if name == "unknown family":
        return table, [*options, "--families", "tree"]
    if name == "no such plan":
        return table, [*options, "--plan", "seperate"]
    if name == "no length of time":
        return table, [*options, "--time-budget", "soon"]
    raise AssertionError(name)


@pytest.mark.parametrize(("name", "said"), [
    ("empty file", "empty"), ("unknown target", "'price'"), ("constant target", "'price'"),
    ("target never observed", "'sold'"), ("class target unique in every row", "'sold'"),
    ("columns of one name", "'size'"), ("infinite value", "row 7"), ("mixed types", "'size'"), ("one row", "row"),
    ("fewer rows than folds", "row"), ("one group", "'owner'"), ("unknown column to drop", "'town'"),
    ("unknown family", "'trees'"), ("no such plan", "'separate'"), ("no length of time", "'soon'"),
])
def test_bad_input_gets_a_four_part_message_code_2_and_leaves_no_folder(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    table, options = spoil(name)
    if isinstance(table, str):
        (tmp_path / "shop.csv").write_text(table, encoding="utf-8")
    else:
        table.to_csv(tmp_path / "shop.csv", index=False)
    assert main(["fit", str(tmp_path / "shop.csv"), *options, "--out", str(tmp_path / "model"), *QUICK[2:]]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert said in shown
    assert ";" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_a_missing_file_suggests_the_near_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(folder / "shpo.csv"), "--targets", "price", "--out", str(folder / "other")]) == 2
    assert "'shop.csv'" in capsys.readouterr().err
    assert not (folder / "other").exists()


@pytest.mark.parametrize(("change", "said"), [("drop", "'town'"), ("type", "'size'"), ("truncate", "row")])
def test_a_table_to_predict_that_does_not_fit_names_the_column(
    change: str, said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    table = shop()
    table = {"drop": table.drop(columns="town"), "type": table.assign(size="big"), "truncate": table.head(0)}[change]
    table.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(folder / "model"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "p.csv").exists()


def test_categories_never_seen_are_predicted(folder: Path, tmp_path: Path) -> None:
    shop().head(5).assign(town="Jena").drop(columns=["price", "sold", "grade"]).to_csv(tmp_path / "n.csv", index=False)
    assert main(["predict", str(folder / "model"), str(tmp_path / "n.csv"), "--out", str(tmp_path / "p.csv")]) == 0
    assert pd.read_csv(tmp_path / "p.csv").notna().all(axis=None)


@pytest.mark.parametrize("damage", ["cut short", "newer", "file swapped", "no folder"])
def test_a_damaged_model_folder_is_refused(
    damage: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / "model"
    if damage != "no folder":
        subprocess.run(["cp", "-r", str(folder / "model"), str(model)], check=True)
    if damage == "cut short":
        text = (model / "model.json").read_text(encoding="utf-8")
        (model / "model.json").write_text(text[: len(text) // 2], encoding="utf-8")
    elif damage == "newer":
        state = json.loads((model / "model.json").read_text(encoding="utf-8"))
        (model / "model.json").write_text(json.dumps({**state, "format": 99}), encoding="utf-8")
    elif damage == "file swapped":
        (model / "report.html").write_text("another page", encoding="utf-8")
    assert main(["show", str(model)]) == 2
    assert str(model) in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_broken_fit_resumes_to_the_result_of_an_unbroken_one(kind: signal.Signals, tmp_path: Path) -> None:
    shop(300).to_csv(tmp_path / "shop.csv", index=False)

    def words(out: str) -> list[str]:
        return [sys.executable, "-m", "sharewise", "fit", str(tmp_path / "shop.csv"), "--targets", "price,sold,grade",
                "--families", "linear", "--workers", "1", "--out", str(tmp_path / out)]

    broken = subprocess.Popen(words("broken"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    done, deadline = tmp_path / "broken.run" / "done", time.monotonic() + 120
    while not any(done.glob("[!.]*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    broken.send_signal(kind)
    said = broken.communicate(timeout=60)[1]
    assert broken.returncode == (1 if kind == signal.SIGINT else -signal.SIGKILL)
    assert kind == signal.SIGKILL or "--resume" in said
    assert not (tmp_path / "broken").exists()
    subprocess.run([*words("broken"), "--resume"], check=True, capture_output=True)
    subprocess.run(words("whole"), check=True, capture_output=True)
    for model in ("broken", "whole"):
        assert main(["predict", str(tmp_path / model), str(tmp_path / "shop.csv"), "--out",
                     str(tmp_path / f"{model}.csv")]) == 0
    assert (tmp_path / "broken.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"shop.csv", "broken", "whole", "broken.csv", "whole.csv"}
