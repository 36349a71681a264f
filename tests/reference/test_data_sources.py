"""Reading and writing tables: every format gives back what was written."""

import gzip
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc

from sharewise.data import as_table, read_table, write_table

MUSIC = """% a comment
@relation 'Music: -C 2'

@attribute 'label one' {0,1}
@attribute b {no, 'y es'}
@ATTRIBUTE x numeric
@attribute "str, ange" string
@attribute d date "yyyy-MM-dd HH:mm"

@DATA
1,'y es',3.5,'it\\'s, no',"2020-01-02 03:04"
0,no,?,'a,b',?
{0 1, 2 7, 3 'q, r'}
"""


def simple():
    return pd.DataFrame({"number": [1.5, np.nan, 1 / 3], "whole": [1, 2, 3], "word": ["a", None, "c, \"d\""],
                         "a name with = + {signs}": [True, False, True]})


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "txt", "parquet", "pq", "feather", "arrow", "ipc", "jsonl",
                                    "ndjson", "jsonl.gz"])
def test_a_table_comes_back_as_it_was_written(tmp_path, suffix):
    back = read_table(write_table(simple(), tmp_path / f"t.{suffix}"))
    pd.testing.assert_frame_equal(back, simple(), check_dtype=False)
    assert [p.name for p in tmp_path.iterdir()] == [f"t.{suffix}"]


def test_every_float_survives_the_way_through_csv(tmp_path):
    numbers = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.random.default_rng(1).integers(-200, 200, 2000)
    back = read_table(write_table(pd.DataFrame({"x": numbers}), tmp_path / "t.csv"))
    assert (back.x.to_numpy() == numbers).all()


@pytest.mark.parametrize(("text", "cells"), [
    ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
    ("a;b\n1,5;2\n3;4\n", [[1.5, 2], [3, 4]]),
    ("a\tb\n1\t2\n", [[1, 2]]),
    ("a|b\n1|2\n", [[1, 2]]),
    ('"a","b"\n"x, y",2\n', [["x, y", 2]]),
    ("a,b\r\n1,2\r\n", [[1, 2]]),
    ("a, b\n1, 2\n", [[1, 2]]),
    ("a,b\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
    ("\ufeffa,b\n1,2\n", [[1, 2]]),
])
def test_the_delimiter_is_found(tmp_path, text, cells):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    table = read_table(tmp_path / "t.csv")
    assert table.columns.tolist() == ["a", "b"]
    assert table.to_numpy().tolist() == cells


def test_a_single_column_keeps_its_empty_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n\n3\n", encoding="utf-8")
    assert read_table(tmp_path / "t.csv").a.isna().tolist() == [False, True, False]


def test_a_single_column_of_text_is_not_cut(tmp_path):
    (tmp_path / "t.csv").write_text("note\nwell, then\nno; never, ever\n", encoding="utf-8")
    assert read_table(tmp_path / "t.csv").note.tolist() == ["well, then", "no; never, ever"]


def test_the_word_none_is_a_value_and_na_is_missing(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nNone,1\nNA,?\nfew,3\n", encoding="utf-8")
    table = read_table(tmp_path / "t.csv")
    assert table.a.tolist()[::2] == ["None", "few"]
    assert table.isna().to_numpy().tolist() == [[False, False], [True, True], [False, False]]


def test_row_numbers_without_a_name_are_left_out_with_a_warning(tmp_path):
    simple().to_csv(tmp_path / "t.csv")
    with pytest.warns(UserWarning, match="numbers the rows"):
        assert read_table(tmp_path / "t.csv").columns.tolist() == simple().columns.tolist()


def test_a_named_index_in_parquet_is_a_column(tmp_path):
    simple().set_index("whole").to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").whole.tolist() == [1, 2, 3]


def test_an_arrow_stream_is_read_like_a_file(tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    with ipc.new_stream(tmp_path / "t.arrow", table.schema) as stream:
        stream.write_table(table)
    assert read_table(tmp_path / "t.arrow").a.tolist() == [1, 2]


def test_json_lines_may_lack_keys_and_json_may_hold_records_or_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2, "b": "x"}\n', encoding="utf-8")
    (tmp_path / "b.json").write_text('[{"a": 1}, {"a": 2, "b": "x"}]', encoding="utf-8")
    (tmp_path / "c.json").write_text('{"a": [1, 2], "b": [null, "x"]}', encoding="utf-8")
    frames = [read_table(tmp_path / name) for name in ("a.jsonl", "b.json", "c.json")]
    for frame in frames:
        assert frame.a.tolist() == [1, 2]
        assert frame.b.isna().tolist() == [True, False]


def test_arff_reads_quotes_gaps_types_and_sparse_rows(tmp_path):
    (tmp_path / "m.arff").write_text(MUSIC, encoding="utf-8")
    table = read_table(tmp_path / "m.arff")
    assert table.columns.tolist() == ["label one", "b", "x", "str, ange", "d"]
    assert table["label one"].tolist() == [1, 0, 1]
    assert table.b.tolist() == ["y es", "no", "no"]
    assert table.x.tolist()[::2] == [3.5, 7.0]
    assert np.isnan(table.x[1])
    assert table["str, ange"].tolist() == ["it's, no", "a,b", "q, r"]
    assert table.d[0] == datetime(2020, 1, 2, 3, 4)
    assert table.d.isna()[1]


def test_meka_says_which_labels_by_number_and_mulan_in_xml(tmp_path):
    (tmp_path / "m.arff").write_text(MUSIC, encoding="utf-8")
    assert read_table(tmp_path / "m.arff").attrs["labels"] == ["label one", "b"]
    (tmp_path / "m.arff").write_text(MUSIC.replace("-C 2", "-C -1"), encoding="utf-8")
    assert read_table(tmp_path / "m.arff").attrs["labels"] == ["d"]
    (tmp_path / "m-train.arff").write_text(MUSIC, encoding="utf-8")
    (tmp_path / "m.xml").write_text('<labels xmlns="http://mulan.sourceforge.net/labels"><label name="b">'
                                    '<label name="x"></label></label></labels>', encoding="utf-8")
    assert read_table(tmp_path / "m-train.arff").attrs["labels"] == ["b", "x"]


def test_arff_may_be_packed(tmp_path):
    with gzip.open(tmp_path / "m.arff.gz", "wt", encoding="utf-8") as file:
        file.write(MUSIC)
    assert len(read_table(tmp_path / "m.arff.gz")) == 3


def test_a_sparse_row_without_cells_is_all_default(tmp_path):
    (tmp_path / "m.arff").write_text("@relation r\n@attribute a numeric\n@attribute b {x,y}\n@data\n{}\n{1 y}\n"
                                     "{ 0 2 }\n", encoding="utf-8")
    assert read_table(tmp_path / "m.arff").to_numpy().tolist() == [[0, "x"], [0, "y"], [2, "x"]]


def test_frames_of_all_sorts_become_the_same_table():
    polars = pytest.importorskip("polars")
    columns = {"a": [1, 2], "b": ["x", "y"]}
    for data in (columns, pd.DataFrame(columns), polars.DataFrame(columns), pa.table(columns),
                 [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]):
        table = as_table(data)
        assert table.to_dict("list") == columns
        assert isinstance(table.index, pd.RangeIndex)


def test_as_table_changes_nothing_of_what_it_is_given():
    frame = pd.DataFrame([[1, 2], [3, 4]], index=[7, 5], columns=[0, "b"])
    frame.attrs["labels"] = ["b"]
    table = as_table(frame)
    table.loc[0, "b"] = 99
    assert frame.index.tolist() == [7, 5]
    assert frame.columns.tolist() == [0, "b"]
    assert frame.iloc[0, 1] == 2
    assert table.columns.tolist() == ["0", "b"]
    assert table.index.tolist() == [0, 1]
    assert table.attrs == {"labels": ["b"]}


def test_an_array_gets_names_for_its_columns():
    assert as_table(np.zeros((2, 3), dtype=np.float32)).columns.tolist() == ["x0", "x1", "x2"]
