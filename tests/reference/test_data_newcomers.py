"""Tables as people bring them: numbers with signs, names of rows, decimal commas, words in an order, 999 for gaps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, MissingPackageError
from sharewise.data import Encoder, encode_targets, examine, infer_tasks, read_table, write_table
from sharewise.judge.report import CandidateResult, Report
from sharewise.judge.words import headline_sentence
from sharewise.plan.prepare import Question, prepare
from sharewise.task import Binary, Multilabel, Ordinal, Regression, read_numbers


@pytest.mark.parametrize(("cells", "numbers"), [
    (["12.5%", "-3 %", "+4%"], [12.5, -3, 4]), (["$1,200.50", "$-411", "-$7"], [1200.5, -411, -7]),
    (["1.200,50 €", "€ 3,5", "20 EUR"], [1200.5, 3.5, 20]), (["1,234", "12,345,678", "7"], [1234, 12345678, 7]),
])
def test_numbers_are_read_as_people_write_them(cells, numbers):
    assert read_numbers(pd.Series(cells)).tolist() == numbers


@pytest.mark.parametrize("cell", ["1,2", "1.2.3", "12-34", "5 apples", "%", "--3", "1,23,456", "$", ".", "1e", "-$-3"])
def test_what_is_no_number_is_none(cell):
    assert np.isnan(read_numbers(pd.Series([cell]))[0])


def test_a_target_and_a_feature_of_per_cents_and_money_are_numbers():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"share": [f"{value:.1f} %" for value in rng.normal(50, 9, 80)],
                          "price": [f"${value:,.2f}" for value in rng.normal(9000, 900, 80)]})
    task, = infer_tasks(table, ["price"])
    assert task.kind == Regression() and task.reason.startswith("numbers written as text")
    assert encode_targets(table, [task])[0, 0] == float(table.price[0][1:].replace(",", ""))
    X = Encoder().fit(table, ["share"]).transform(table)
    assert X.shape == (80, 1) and X[3, 0] == pytest.approx(float(table.share[3][:-2]))


def test_a_feature_of_money_stays_one_though_a_new_table_of_it_looks_like_sets():
    rng = np.random.default_rng(1)
    old = pd.DataFrame({"price": [f"{value:,.2f}" for value in rng.normal(9000, 900, 80)]})
    cells = [",".join(sorted({*rng.choice(["101", "205", "300", "417"], rng.integers(1, 4))})) for _ in range(90)]
    X = Encoder().fit(old, ["price"]).transform(pd.DataFrame({"price": cells}))
    assert X[:, 0].tolist() == pytest.approx([float(cell.replace(",", "")) for cell in cells])  # float32


def test_sets_of_codes_are_no_thousands():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"codes": [",".join(sorted({*rng.choice(["101", "205", "300", "417"], rng.integers(1, 4))}))
                                    for _ in range(90)]})
    assert isinstance(infer_tasks(table, ["codes"])[0].kind, Multilabel)


def test_few_per_cents_are_grades_in_the_order_of_their_numbers():
    table = pd.DataFrame({"dose": ["10%", "5%", "100%"] * 20})
    assert infer_tasks(table, ["dose"])[0].kind.classes == ("5%", "10%", "100%")


def test_a_nameless_first_column_that_names_the_rows_is_left_out_with_a_warning(tmp_path):
    table = pd.DataFrame({"mpg": [21.0, 22.8]}, index=["Mazda RX4", "Datsun 710"])
    table.to_csv(tmp_path / "cars.csv")
    with pytest.warns(UserWarning, match="the first column has no name and names the rows; it is left out"):
        assert read_table(tmp_path / "cars.csv").columns.tolist() == ["mpg"]
    (tmp_path / "twice.csv").write_text(",b\nx,1\nx,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="has no name for column 1"):
        read_table(tmp_path / "twice.csv")


def test_a_warning_on_the_command_line_is_one_line_without_the_place_in_the_code(tmp_path, capsys):
    import subprocess
    import sys

    pd.DataFrame({"x": [1.5, 2.5]}, index=["a", "b"]).to_csv(tmp_path / "t.csv")
    ran = subprocess.run([sys.executable, "-m", "sharewise", "fit", str(tmp_path / "t.csv"), "--targets", "y", "--out",
                          str(tmp_path / "m")], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert [line.split(": ")[0] for line in ran.stderr.splitlines()] == ["warning", "error"]


@pytest.mark.parametrize(("text", "values"), [
    ("a\tb\n1,5\tx\n2,25\ty\n", [1.5, 2.25]), ("a|b\n1,5|x\n1,200|y\n", [1.5, 1.2]),
    ("a\tb\n1,200\tx\n3,500\ty\n", [1200.0, 3500.0])])
def test_a_comma_before_decimals_is_seen_beside_tabs_and_bars(tmp_path, text, values):
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    assert read_numbers(read_table(tmp_path / "t.txt").a).tolist() == values


@pytest.mark.parametrize(("values", "levels"), [
    (["H", "L", "M"], ("L", "M", "H")), (["S", "M", "L"], ("S", "M", "L")),
    (["2nd class", "1st class", "3rd class"], ("1st class", "2nd class", "3rd class")),
    (["10th", "2nd", "1st"], ("1st", "2nd", "10th")), (["Freq", "None", "Some"], ("None", "Some", "Freq")),
    (["Average", "Fairly High", "Very Low"], ("Very Low", "Average", "Fairly High"))])
def test_letters_and_places_stand_in_an_order(values, levels):
    assert infer_tasks(pd.DataFrame({"y": values * 20}), ["y"])[0].kind == Ordinal(levels)


def test_the_way_to_turn_a_class_around_names_the_target():
    task, = infer_tasks(pd.DataFrame({"sex": ["female", "male"] * 20}), ["sex"])
    assert task.kind == Binary(("female", "male")) and "--kind sex=binary:female" in task.reason
    task, = infer_tasks(pd.DataFrame({"my sex": ["a b", "c"] * 20}), ["my sex"])
    assert "--kind 'my sex=binary:a b'" in task.reason


def test_a_feature_of_money_in_words_can_give_a_target_away():
    y = np.random.default_rng(0).normal(1000, 200, size=300).round(2)
    table = pd.DataFrame({"y": y, "paid": [f"€ {2 * value:,.2f}" for value in y]})
    assert [(one.code, one.columns) for one in examine(table, infer_tasks(table, ["y"]), ["paid"])] == [
        ("leak", ("paid",))]


def test_a_small_task_of_a_long_table_is_left_out_by_its_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=70), "y": rng.normal(size=70), "shop": ["a"] * 60 + ["b"] * 10})
    found, = (one for one in examine(table, infer_tasks(table, ["y"], task_column="shop"), ["x"])
              if one.code == "few-labels")
    assert found.remedy == "Bring 20 or more, or leave out the task's rows."


def test_a_pattern_names_all_columns_that_fit_and_an_exact_name_counts_once():
    columns = ["a", "lag_1", "lag_2", "y_1", "y_2", "q?"]
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 6)), columns=columns)
    prepared = prepare(table, Question(["y_*", "y_1"]), None, ["lag_[12]"], False, None, 0)
    assert [task.name for task in prepared.tasks] == ["y_1", "y_2"] and prepared.features == ["a", "q?"]
    assert [task.name for task in prepare(table, Question(["q?"]), None, [], False, None, 0).tasks] == ["q?"]
    with pytest.raises(DataError, match=r"target 'z_\*' is not a column"):
        prepare(table, Question(["z_*"]), None, [], False, None, 0)


def test_a_workbook_is_read_from_its_first_sheet(tmp_path):
    pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    table = pd.DataFrame({"x": [1.5, 2.5, None], "who": ["Jörg", "NA", "None"],
                          "day": pd.date_range("2024-01-01", periods=3)})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        table.to_excel(book, sheet_name="first", index=False, startrow=1)
        table.to_excel(book, sheet_name="second")
    with pytest.warns(UserWarning, match="has 2 sheets; the first, 'first', is read"):
        found = read_table(tmp_path / "t.xlsx")
    assert found.columns.tolist() == ["x", "who", "day"] and found["x"].dtype == float
    assert found["who"].isna().tolist() == [False, True, False] and found["day"].dtype.kind == "M"
    (tmp_path / "bad.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"can't be read .* it must be a whole .xlsx file"):
        read_table(tmp_path / "bad.xlsx")


def test_a_workbook_needs_a_package_and_a_file_to_write_names_what_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("sharewise.data.sources.excel.find_spec", lambda name: None)
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(MissingPackageError, match=r"pip install 'sharewise\[excel\]'"):
        read_table(tmp_path / "t.xlsx")
    with pytest.raises(DataError) as error:
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "out.xlsx")
    assert ".xlsx" not in error.value.must and ".parquet" in error.value.must


def test_a_number_of_nines_far_from_the_others_is_named_as_a_gap():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=200), "y": rng.normal(50, 9, 200).round(1), "z": rng.normal(size=200)})
    table.loc[:9, "y"] = -999
    table.loc[5:25, "x"] = 9999
    table.loc[7, "z"] = -99
    findings = examine(table, infer_tasks(table, ["y"]), ["x", "z"])
    found = {one.subject: one for one in findings if one.code == "gap-code"}
    assert set(found) == {"y", "x"}
    assert str(found["y"]) == ("'y' holds -999 in 10 of 200 rows, far from all other numbers, which may stand for a "
                               "gap. If so, empty these cells.")
    assert found["y"].level == found["x"].level == "warning"
    fine = table.assign(y=rng.integers(0, 1000, 200), x=rng.integers(0, 100, 200), z=0.5)
    assert "gap-code" not in {one.code for one in examine(fine, infer_tasks(fine, ["y"]), ["x", "z"])}


def test_a_target_of_dates_is_named_as_such_though_it_is_text():
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=50).strftime("%d.%m.%Y")})
    with pytest.raises(DataError, match=r"target 'day' holds dates; .* Turn it into a number, such as days"):
        infer_tasks(table, ["day"])


def test_grades_of_which_one_stands_in_one_row_are_a_number():
    task, = infer_tasks(pd.DataFrame({"carb": [1, 2, 3, 4] * 10 + [6]}), ["carb"])
    assert task.kind == Regression() and task.reason == "5 distinct whole numbers from 1 to 6, 6 in one row only"
    assert infer_tasks(pd.DataFrame({"carb": [1, 2, 3, 4] * 10 + [6] * 2}), ["carb"])[0].kind.name == "ordinal"


def test_a_report_without_shared_candidates_says_that_the_time_was_too_short():
    alone = (CandidateResult("linear", "linear", "separate", False, 1.0, 10),)
    report = Report("t.csv", rows=10, features=2, tasks=(), candidates=alone,
                    budget="30 s; 1 of 31 candidates fitted into it")
    assert headline_sentence(report) == (
        "No candidate learned tasks together within the time (30 s; 1 of 31 candidates fitted into it), so that it is "
        "not known whether that would help. Give more time.")
    assert headline_sentence(replace(report, budget="none")).endswith("it is not known whether that would help.")
