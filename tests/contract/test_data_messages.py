"""Bad input is refused at the door, in four parts that name the table, target, column or row, and what to do."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, FolderError, NotFittedError, SharewiseError, UnknownNameError, UsageError
from sharewise.data import Encoder, as_table, infer_tasks, parse_kind, read_table, wanted_rows, write_table
from sharewise.task import Binary, Regression, Task

ARFF = "@relation r\n@attribute a numeric\n@attribute b {x,y}\n@data\n"
FILES = {
    "empty.csv": ("", "is an empty file"), "blank.csv": ("\n\n", "is an empty file"),
    "header.csv": ("a,b\n", "has no rows"), "double.csv": ("a,b,a\n1,2,3\n", "has the column 'a' more than once"),
    "nameless.csv": ("a,,c\n1,2,3\n", "has no name for column 2"), "long.csv": ("a,b\n1,2\n1,2,3\n", "can't be read"),
    "table.xyz": ("a,b\n1,2\n", "ends in '.xyz'"), "nosuffix": ("a,b\n1,2\n", "has no suffix"),
    "latin.csv": ("a,b\nM\u00fcller,2\n".encode("latin-1"), "is not UTF-8 (byte 0xfc)"),
    "torn.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:30], "can't be read"),
    "fake.csv.gz": ("a,b\n1,2\n", "can't be read"),
    "torn.parquet": ("PAR1 and nothing more", "can't be read"), "torn.feather": (b"ARROW1\0\0....", "can't be read"),
    "torn.arrow": ("hello", "can't be read"), "torn.jsonl": ('{"a": 1}\n{"a": \n', "(line 2: "),
    "title.csv": ("# prices\na,b\n1,2\n", "names 1 column, the other lines hold 2 cells"),
    "wide.csv": ("a,b\n1,2,3\n4,5,6\n", "can't be read"),
    "list.jsonl": ("[1, 2]\n", "(line 1 holds no object)"),
    "double.jsonl": ('{"a": 1, "a": 2}\n', "has the column 'a' more"),
    "uneven.json": ('{"a": [1], "b": [1, 2]}', "can't be read"), "torn.json": ("[{", "can't be read"),
    "type.arff": (ARFF.replace("numeric", "relational"), "attribute type 'relational'"),
    "cells.arff": (ARFF + "1,x\n1,x,y\n", "line 6 has 3 cells for 2 attributes"),
    "value.arff": (ARFF + "1,z\n", "attribute 'b' has 'z' in row 0"),
    "text.arff": (ARFF + "q,x\n", "'q' in row 0"),
    "place.arff": (ARFF + "{7 x}\n", "has no attribute for '7 x'"),
    "header.arff": ("@relation r\n", "there is no @data"),
    "double.arff": (ARFF.replace(" b ", " a ") + "1,x\n", "has the column 'a' more than once"),
    "none.arff": (ARFF, "has no rows")}


def refuses(call, *parts, error=DataError):
    with pytest.raises(error) as caught:
        call()
    raised = caught.value
    assert isinstance(raised, SharewiseError)
    assert str(raised) == f"{raised.thing} {raised.was}; {raised.must}. {raised.do}"
    assert all((raised.thing, raised.was, raised.must, raised.do))
    assert "\n" not in str(raised)
    for part in parts:
        assert part in str(raised)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path, name):
    content, part = FILES[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refuses(lambda: read_table(path), f"table {str(path)!r}", part)


def test_a_file_that_is_not_there_brings_the_near_name(tmp_path):
    (tmp_path / "prices.csv").write_text("a\n1\n", encoding="utf-8")
    refuses(lambda: read_table(tmp_path / "price.csv"), "does not exist", "'prices.csv'")
    refuses(lambda: read_table(tmp_path / "no" / "price.csv"), "nor does its folder")
    refuses(lambda: read_table(tmp_path), "is a folder")


def test_a_label_list_that_does_not_fit_is_refused(tmp_path):
    (tmp_path / "m.arff").write_text(ARFF + "1,x\n", encoding="utf-8")
    (tmp_path / "m.xml").write_text('<labels><label name="c"/></labels>', encoding="utf-8")
    refuses(lambda: read_table(tmp_path / "m.arff"), "label list", "names 'c'")


def test_a_table_is_not_written_where_it_cannot_be(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    refuses(lambda: write_table(frame, tmp_path / "t.xyz"), "'.xyz'")
    refuses(lambda: write_table(frame, tmp_path / "no" / "t.csv"), "does not exist", error=FolderError)
    assert list(Path(tmp_path).iterdir()) == []


@pytest.mark.parametrize(("data", "part"), [
    (5, "is a int"), (np.zeros(3), "of shape (3,)"), ({"a": [1], "b": [1, 2]}, "makes no table"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "has the column 'a' more than once"),
    (pd.DataFrame([[1, 2]], columns=[1, "1"]), "has the column '1' more than once"),
    (pd.DataFrame(), "has no rows"), (pd.DataFrame(index=[1, 2]), "has no columns")])
def test_what_is_no_table_is_refused(data, part):
    refuses(lambda: as_table(data), part)


def table():
    return pd.DataFrame({"price": [1.5, 2, 3, 4], "shop": ["a", "b", "b", "a"], "y": [0, 1, 0, 1], "x": [1, 2, 3, 4]})


TARGETS = {
    "constant": ([5, 5, None], "target 'y' has the one value 5 in 2 rows"),
    "one row": ([5, None, None], "target 'y' has the one value 5 in 1 row;"),
    "nowhere observed": ([None, None, None], "target 'y' has no value in any of 3 rows"),
    "blank": (["", " ", ""], "target 'y' has no value in any of 3 rows"),
    "infinite": ([1.0, np.inf, 2.0], "target 'y' has inf in row 1"),
    "an id": ([f"id {at}" for at in range(9)], "target 'y' has 9 distinct values in 9 rows, like an id"),
    "mixed": ([1, 2, "three", 4], "target 'y' mixes numbers and text: 'three' in row 2 among 3 numbers"),
    "mixed as text": ([*map(str, range(30)), "oops"], "target 'y' mixes numbers and text: 'oops' in row 30 among 30"),
    "dates": (pd.date_range("2020-01-01", periods=3), "target 'y' holds dates"),
    "objects": ([{"a": 1}, {"b": 2}], "target 'y' holds a dict in row 0"),
    "complex": ([1j, 2j], "target 'y' holds complex numbers"),
    "one label": ([["a"], [], ["a"]], "target 'y' has 1 labels in its sets")}


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_that_cannot_be_learned_is_refused_by_name(case):
    values, part = TARGETS[case]
    refuses(lambda: infer_tasks(pd.DataFrame({"y": values}), ["y"]), part)


def test_a_class_that_is_seen_once_is_no_error():
    infer_tasks(pd.DataFrame({"y": ["a", "a", "b", "c"]}), ["y"])


def test_unknown_names_bring_the_near_ones():
    refuses(lambda: infer_tasks(table(), ["prise"]), "target 'prise' is not a column", "'price'")
    refuses(lambda: infer_tasks(table(), ["zzz"]), "its columns are 'price', 'shop'")
    refuses(lambda: infer_tasks(table(), ["price"], task_column="shp"), "task column 'shp'", "'shop'")
    refuses(lambda: infer_tasks(table(), ["price"], {"pricee": "count"}), "near names are 'price'",
            error=UnknownNameError)
    refuses(lambda: infer_tasks(table(), ["price"], {"price": "regresion"}), "'regression'", error=UnknownNameError)
    refuses(lambda: infer_tasks(table(), ["s=y+xx"]), "label of target 's': 'xx'")
    refuses(lambda: infer_tasks(table(), [Task("q", Regression())]), "target 'q' is not a column")
    refuses(lambda: infer_tasks(table(), []), "is empty", error=UsageError)
    refuses(lambda: infer_tasks(table(), ["y", "y"]), "'y' twice", error=UsageError)


def test_a_kind_that_does_not_fit_its_target_is_refused():
    refuses(lambda: infer_tasks(table(), ["price"], {"price": "count"}), "target 'price' has 1.5 in row 0")
    refuses(lambda: infer_tasks(table(), ["price"], {"price": "binary"}), "has 4 distinct values")
    refuses(lambda: infer_tasks(table(), ["x"], {"x": "multiclass"}), "like an id")
    refuses(lambda: infer_tasks(table(), ["x"], {"x": "ordinal:1<2<3"}), "has 4 in row 3", "given as 1, 2, 3")
    refuses(lambda: infer_tasks(table(), ["x"], {"x": "ordinal:low<2"}), "class 'low'", error=UsageError)
    refuses(lambda: infer_tasks(table(), ["shop"], {"shop": "binary:c"}), "the positive class 'c'")
    refuses(lambda: infer_tasks(table(), ["s=y+x"]), "column 'x' of target 's' has 2 in row 1")
    refuses(lambda: infer_tasks(table(), [Task("x", Binary((1, 2)))]), "target 'x' has", "in row 2")
    refuses(lambda: parse_kind("ordinal", pd.Series(list("xyz"), name="g")), "whose order is not known")
    refuses(lambda: parse_kind("count:9", pd.Series([1, 2], name="g")), "has '9' after the colon", error=UsageError)


def test_in_the_long_layout_every_row_belongs_to_a_known_task():
    refuses(lambda: infer_tasks(table().assign(shop=["a", None, "", "b"]), ["price"], task_column="shop"),
            "task column 'shop' is empty in row 1 (and 1 more)")
    refuses(lambda: infer_tasks(table(), ["price"], task_column="price"), "is also a target")
    tasks = infer_tasks(table(), ["price"], task_column="shop")
    refuses(lambda: wanted_rows(table().assign(shop=["a", "b", "q", "q"]), tasks), "'q' in row 2", "'a', 'b'")


BAD_CELLS = {
    "text in numbers": ({"n": ["1", "b", "c", "d"]}, "column 'n' has the text 'b' in row 1"),
    "mixed": ({"n": [1, "b", 3, 4]}, "column 'n' mixes numbers and text: 'b' in row 1 among 3 numbers"),
    "infinite": ({"n": [1, 2, -np.inf, 4]}, "column 'n' has -inf in row 2"),
    "too large": ({"n": [1, 2, 1e300, 4]}, "column 'n' has 1e+300 in row 2"),
    "dates in numbers": ({"n": pd.date_range("2020-01-01", periods=4)}, "column 'n' holds dates"),
    "numbers in dates": ({"d": [1, 2, 3, 4]}, "column 'd' holds numbers"),
    "text in dates": ({"d": ["2020-01-01", "soon", "", ""]}, "column 'd' has 'soon' in row 1"),
    "numbers in booleans": ({"b": [0, 1, 2, 1]}, "column 'b' has 2 in row 2"),
    "dates in categories": ({"c": pd.date_range("2020-01-01", periods=4)}, "column 'c' holds dates"),
    "objects": ({"c": [{}, {}, {}, {}]}, "column 'c' holds a dict in row 0")}


def features():
    return pd.DataFrame({"n": [1.0, 2, None, 4], "c": ["a", "b", "a", None], "b": [True, False, True, True],
                         "d": ["2020-01-01", "2020-02-03", None, "2021-05-06"]})


@pytest.mark.parametrize("case", BAD_CELLS)
def test_a_table_to_predict_is_refused_where_a_column_is_of_another_type(case):
    cells, part = BAD_CELLS[case]
    encoder = Encoder().fit(features())
    refuses(lambda: encoder.transform(features().assign(**cells)), part)


def test_rows_are_named_as_in_the_whole_table():
    rows = features().iloc[2:]
    refuses(lambda: Encoder().fit(rows.assign(n=[1.0, np.inf])), "has inf in row 3")
    refuses(lambda: Encoder().fit(features()).transform(rows.assign(d=["", "soon"])), "has 'soon' in row 3")
    refuses(lambda: infer_tasks(rows.assign(n=[1.0, np.inf]), ["n"]), "has inf in row 3")


def test_a_table_with_a_column_twice_is_refused_everywhere():
    double = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["a", "a", "b"])
    refuses(lambda: Encoder().fit(double, ["b"]), "has the column 'a' more than once")
    refuses(lambda: infer_tasks(double, ["b"]), "has the column 'a' more than once")


def test_a_table_to_predict_must_have_every_column():
    encoder = Encoder().fit(features())
    refuses(lambda: encoder.transform(features().drop(columns="c")), "column 'c' is missing")


@pytest.mark.parametrize(("values", "part"), [
    ([1, "two", 3], "mixes numbers and text: 'two' in row 1"), ([1.0, np.inf, 2.0], "has inf in row 1"),
    ([{}, {}, {}], "holds a dict in row 0"), ([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]] * 30, "")])
def test_a_feature_that_cannot_be_read_is_refused_by_name(values, part):
    frame = pd.DataFrame({"f": values})
    if part:
        refuses(lambda: Encoder().fit(frame), f"column 'f' {part}")
    else:
        assert Encoder().fit(frame).inputs[0].type == "labels"


def test_an_encoder_without_columns_or_fit_or_folder_says_so(tmp_path):
    refuses(lambda: Encoder().fit(pd.DataFrame({"a": [1, 1], "b": [None, None]})),
            "has no column to learn from among 2")
    refuses(lambda: Encoder().fit(features(), ["nn"]), "column 'nn' is not a column", "'n'")
    refuses(lambda: Encoder().transform(features()), "is not fitted", error=NotFittedError)
    refuses(lambda: Encoder().save(tmp_path), "is not fitted", error=NotFittedError)
    refuses(lambda: Encoder(one_hot_levels=0), "one_hot_levels is 0", error=UsageError)
    refuses(lambda: Encoder.load(tmp_path), "holds no readable encoder", error=FolderError)


@pytest.mark.parametrize("damage", ["cut json", "cut arrays", "no arrays", "newer", "other arrays"])
def test_a_damaged_encoder_folder_is_refused(tmp_path, damage):
    names = [f"{word} {at}" for word in ("north", "south") for at in range(20)]
    Encoder().fit(pd.DataFrame({"c": names})).save(tmp_path)
    if damage == "other arrays":
        Encoder().fit(pd.DataFrame({"n": [1, 2]})).save(tmp_path / "other")
        (tmp_path / "other" / "encoder.safetensors").replace(tmp_path / "encoder.safetensors")
    elif damage == "no arrays":
        (tmp_path / "encoder.safetensors").unlink()
    else:
        path = tmp_path / ("encoder.safetensors" if damage == "cut arrays" else "encoder.json")
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"format": 1', b'"format": 99') if damage == "newer" else content[:-20])
    part = "of format 99" if damage == "newer" else "holds no readable encoder"
    refuses(lambda: Encoder.load(tmp_path), f"folder {tmp_path}", part, error=FolderError)
