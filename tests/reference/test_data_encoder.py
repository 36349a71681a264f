"""The Encoder: what each sort of column becomes, and that it is the same after saving."""

import datetime

import numpy as np
import pandas as pd
import pytest

from sharewise.data import Encoder, read_table, write_table

RNG = np.random.default_rng(0)
WORDS = np.array(["alpha", "beta", "gamma", "delta", "epsilon", "zeta"])


def messy(rows=120):
    rng = np.random.default_rng(1)
    cities = np.array([f"{word} {number}" for word in ("north", "south", "upper") for number in range(12)])
    table = pd.DataFrame({
        "number": rng.normal(size=rows), "whole": rng.integers(0, 9, rows), "flag": rng.random(rows) < 0.5,
        "answer": rng.choice(["Yes", "No"], rows), "colour": rng.choice(["red", "blue", "green"], rows),
        "city": rng.choice(cities, rows), "when": pd.date_range("2020-01-01", periods=rows, freq="31h").astype(str),
        "stamp": pd.date_range("2020-01-01", periods=rows, freq="7D"), "as text": rng.integers(0, 99, rows).astype(str),
        "note": [" ".join(rng.choice(WORDS, 7)) for _ in range(rows)],
        "tags": [list(rng.choice(["a", "b", "c"], rng.integers(0, 3), replace=False)) for _ in range(rows)],
        "constant": 3, "empty": None, 'a [name] with = + {"signs"}': rng.normal(size=rows)})
    gaps = table.mask(rng.random(table.shape) < 0.1)
    return gaps.assign(whole=table.whole, flag=table.flag, constant=3, tags=table.tags)


def test_every_sort_of_column_is_recognised():
    encoder = Encoder().fit(messy())
    assert dict(encoder.inputs) == {
        "number": "number", "whole": "number", "flag": "boolean", "answer": "boolean", "colour": "category",
        "city": "category", "when": "date", "stamp": "date", "as text": "number", "note": "text", "tags": "labels",
        'a [name] with = + {"signs"}': "number"}
    assert encoder.dropped == {"constant": "it has the one value 3", "empty": "it has no value"}
    X = encoder.transform(messy())
    assert X.dtype == np.float32
    assert X.shape == (120, len(encoder.names))
    assert not np.isinf(X).any()


def test_a_saved_encoder_is_the_same_to_the_last_bit(tmp_path):
    encoder = Encoder(one_hot_levels=5, text_size=4, character_size=3, seed=7).fit(messy())
    encoder.save(tmp_path / "encoder")
    again = Encoder.load(tmp_path / "encoder")
    assert again.transform(messy()).tobytes() == encoder.transform(messy()).tobytes()
    assert (again.names, again.inputs, again.dropped) == (encoder.names, encoder.inputs, encoder.dropped)
    assert again.seed == 7
    assert sorted(path.name for path in (tmp_path / "encoder").iterdir()) == ["encoder.json", "encoder.safetensors"]


def test_two_fits_with_one_seed_are_equal():
    assert Encoder(seed=3).fit(messy()).transform(messy()).tobytes() == \
        Encoder(seed=3).fit(messy()).transform(messy()).tobytes()


def test_a_row_is_encoded_alone_as_it_is_among_others():
    encoder = Encoder().fit(messy())
    X = encoder.transform(messy())
    for row in range(0, 120, 7):
        one = messy().iloc[[row]].reset_index(drop=True)
        np.testing.assert_array_equal(encoder.transform(one)[0], X[row])
        np.testing.assert_array_equal(encoder.transform(pd.DataFrame([messy().iloc[row].to_dict()]))[0], X[row])


def test_a_table_that_went_through_csv_is_encoded_alike(tmp_path):
    table = messy().drop(columns=["tags", "empty"])
    encoder = Encoder().fit(table)
    back = read_table(write_table(table, tmp_path / "t.csv"))
    np.testing.assert_array_equal(encoder.transform(back), encoder.transform(table))


def test_the_encoder_looks_at_no_row_but_the_training_rows():
    table = messy()
    other = pd.concat([table.iloc[:60], table.iloc[60:].assign(number=1e6, colour="new", note="other words")])
    one, two = Encoder().fit(table.iloc[:60]), Encoder().fit(other.iloc[:60])
    np.testing.assert_array_equal(one.transform(table.iloc[:60]), two.transform(table.iloc[:60]))


def test_numbers_keep_their_gaps():
    X = Encoder().fit(pd.DataFrame({"x": [1.5, None, 3.5]})).transform(pd.DataFrame({"x": [None, 7.5]}))
    np.testing.assert_array_equal(X, [[np.nan], [7.5]])


def test_numbers_far_from_zero_keep_their_digits():
    values = 1e9 + np.arange(100) / 16
    X = Encoder().fit(pd.DataFrame({"x": values})).transform(pd.DataFrame({"x": values}))
    np.testing.assert_array_equal(np.diff(X[:, 0]), np.full(99, 1 / 16, dtype=np.float32))


def test_categories_are_one_hot_with_a_level_for_gaps_and_none_for_new_levels():
    encoder = Encoder().fit(pd.DataFrame({"c": ["b", "a", None, "a"]}))
    assert encoder.names == ["c=a", "c=b", "c=(missing)"]
    X = encoder.transform(pd.DataFrame({"c": ["a", "b", None, " ", "new"]}))
    np.testing.assert_array_equal(X, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_levels_in_an_order_also_give_their_rank():
    encoder = Encoder().fit(pd.DataFrame({"c": ["low", "high", "mid"], "d": pd.Categorical(
        ["x", "z", "y"], ["z", "y", "x"], ordered=True)}))
    assert encoder.names[3] == "c:order"
    assert encoder.names[7] == "d:order"
    X = encoder.transform(pd.DataFrame({"c": ["mid", None], "d": ["z", "new"]}))
    np.testing.assert_array_equal(X[:, [3, 7]], [[1, 0], [np.nan, np.nan]])


def test_many_levels_give_the_frequent_ones_their_shares_and_their_spelling():
    names = [f"{word} {number}" for word in WORDS for number in range(6)]
    table = pd.DataFrame({"c": names * 2 + [names[0]] * 8})
    encoder = Encoder(one_hot_levels=4, character_size=3).fit(table)
    assert encoder.names == [f"c={name}" for name in [names[0], *sorted(names[1:])[:3]]] + \
        ["c:share", "c:letters0", "c:letters1", "c:letters2"]
    X = encoder.transform(pd.DataFrame({"c": [names[0], "gamma 99", "gamma 2"]}))
    assert X[0, 0] == 1
    assert X[0, 4] == np.float32(10 / 80)
    assert X[1, :5].tolist() == [0] * 5
    unit = X[1:, 5:] / np.linalg.norm(X[1:, 5:], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.9  # an unseen level lies beside those that are spelt alike


def test_a_category_of_codes_accepts_numbers_later():
    encoder = Encoder().fit(pd.DataFrame({"c": ["1", "2", "B", "2"]}))
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"c": [2, 1]})), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"c": [2.0, None]})), [[0, 1, 0], [0, 0, 0]])


def test_yes_and_no_are_one_column_in_whatever_words():
    encoder = Encoder().fit(pd.DataFrame({"b": ["yes", "No", None]}))
    X = encoder.transform(pd.DataFrame({"b": ["YES", "no", None, "perhaps"]}))
    np.testing.assert_array_equal(X[:, 0], [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"b": [True, False]}))[:, 0], [1, 0])


@pytest.mark.parametrize("dates", [
    ["2020-02-01", "2020-03-15", None], ["01.02.2020", "15.03.2020", None], ["2/1/2020", "3/15/2020", ""],
    [datetime.date(2020, 2, 1), datetime.date(2020, 3, 15), None],
    ["2020-02-01T00:00:00Z", "2020-03-15T00:00:00Z", None], pd.to_datetime(["2020-02-01", "2020-03-15", None])])
def test_dates_are_days_elapsed_and_the_parts_that_vary(dates):
    table = pd.DataFrame({"when": dates})
    encoder = Encoder().fit(table)
    assert encoder.names == ["when:days", "when:month", "when:day", "when:day_of_week"]
    np.testing.assert_array_equal(encoder.transform(table), [[0, 2, 1, 5], [43, 3, 15, 6], [np.nan] * 4])


def test_durations_are_days():
    table = pd.DataFrame({"t": pd.to_timedelta([12, 36], unit="h")})
    np.testing.assert_array_equal(Encoder().fit(table).transform(table), [[0.5], [1.5]])


def test_texts_with_the_same_words_lie_together():
    texts = [" ".join(RNG.choice(group, 6)) for group in (WORDS[:3], WORDS[3:]) for _ in range(40)]
    table = pd.DataFrame({"note": texts})
    encoder = Encoder(text_size=2).fit(table)
    X = encoder.transform(pd.DataFrame({"note": ["alpha beta gamma beta", "beta alpha unknown", "zeta delta", None]}))
    cosine = X[:3, :2] @ X[:3, :2].T
    assert cosine[0, 1] > 0.5 > abs(cosine[0, 2])
    assert encoder.names == ["note:topic0", "note:topic1", "note:words"]
    assert X[:, 2].tolist() == [4, 3, 2, 0]


def test_sets_are_one_column_a_label():
    table = pd.DataFrame({"genres": ["a|b", "b", "c|a", "a|b|c", "c", "b|d", "d"] * 12})
    encoder = Encoder(one_hot_levels=3).fit(table)
    assert encoder.names == ["genres=b", "genres=a", "genres=c", "genres=d", "genres:size"]
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"genres": ["c|new", None]})),
                                  [[0, 0, 1, 0, 2], [0, 0, 0, 0, 0]])


def test_columns_may_come_in_another_order_beside_others():
    encoder = Encoder().fit(messy(), ["number", "colour"])
    table = messy()[["flag", "colour", "number"]]
    np.testing.assert_array_equal(encoder.transform(table), encoder.transform(messy()))


def test_an_empty_table_gives_no_rows():
    encoder = Encoder().fit(messy())
    assert encoder.transform(messy().iloc[:0]).shape == (0, len(encoder.names))
    assert np.isnan(encoder.transform(messy().iloc[:1].assign(number=None))[0, 0])


def test_encoding_leaves_the_table_alone():
    table = messy()
    before = table.copy(deep=True)
    Encoder().fit(table).transform(table)
    pd.testing.assert_frame_equal(table, before)
