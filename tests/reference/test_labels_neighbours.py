"""Lazy label methods: tables worked by hand, plain loops, scikit-learn, and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from sharewise.base import DataError
from sharewise.solve.labels import IBLRML, BRkNN, MLkNN, nearest
from sharewise.solve.labels.br_knn import most_counted
from sharewise.solve.labels.least import least
from sharewise.solve.labels.nearest import NearestRows
from sharewise.solve.labels.neighbours import count_neighbours, find_neighbours
from sharewise.solve.labels.row_products import DenseProducts, MixedProducts, SparseProducts

X6 = np.array([[0.0], [1], [3], [10], [11], [13]])
Y6 = np.array([[1], [1], [0], [0], [0], [1]])


def table(rows: int = 50, labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(rows, 3))
    return X, (X @ chance.normal(size=(3, labels)) + chance.normal(size=(rows, labels)) > 0).astype(int)


def test_ml_knn_on_a_table_worked_by_hand() -> None:
    # The nearest other row of each: 1, 0, 1, 4, 3, 4. With the label: rows 0, 1 (neighbour has it), 5 (has not);
    # without: row 2 (neighbour has it), 3, 4 (has not). p(on) = (1 + 3) / (2 + 6) = 1/2.
    # p(c = 1 | on) = (1 + 2) / (2 + 3) = 3/5, p(c = 1 | off) = (1 + 1) / (2 + 3) = 2/5; so 3/5 for c = 1, 2/5 for 0.
    # Were each row its own neighbour, it would be 4/5 and 1/5.
    model = MLkNN(k=1).fit(X6, Y6)
    assert model.posterior_[:, 0] == pytest.approx([2 / 5, 3 / 5])
    assert model.predict_proba([[0.2], [10.2]])[:, 0] == pytest.approx([3 / 5, 2 / 5])
    assert model.predict([[0.2], [10.2]])[:, 0].tolist() == [1, 0]


def test_doubled_rows_are_neighbours_of_each_other_and_not_of_themselves() -> None:
    X, Y = np.array([[0.0], [0.0], [5.0], [5.0]]), np.array([[True, False], [False, True], [True, True], [False] * 2])
    search = find_neighbours(X, 1, "euclidean", apart_from_itself=True)
    assert np.array_equal(count_neighbours(search, Y), Y[[1, 0, 3, 2]])


@pytest.mark.parametrize("smooth", [0.5, 1.0, 3.0])
def test_ml_knn_is_what_a_plain_loop_over_figure_1_of_the_paper_gives(smooth: float) -> None:
    X, Y = table()
    new, k = table(seed=1)[0], 5
    distance = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    near, wanted = np.argsort(distance, axis=1)[:, :k], np.zeros((len(new), 4))
    for label in range(4):
        prior = (smooth + Y[:, label].sum()) / (2 * smooth + len(X))
        on, off = np.zeros(k + 1), np.zeros(k + 1)
        for row in range(len(X)):
            (on if Y[row, label] else off)[Y[near[row], label].sum()] += 1
        for row, x in enumerate(new):
            c = Y[np.argsort(np.linalg.norm(X - x, axis=1))[:k], label].sum()
            yes = prior * (smooth + on[c]) / (smooth * (k + 1) + on.sum())
            no = (1 - prior) * (smooth + off[c]) / (smooth * (k + 1) + off.sum())
            wanted[row, label] = yes / (yes + no)
    model = MLkNN(k=k, smooth=smooth).fit(X, Y)
    assert np.allclose(model.predict_proba(new), wanted)
    assert np.array_equal(model.predict(new), wanted > 0.5)


def test_endless_smoothing_knows_nothing() -> None:
    X, Y = table()
    assert np.allclose(MLkNN(k=3, smooth=1e12).fit(X, Y).predict_proba(X), 0.5)


def test_other_metrics_are_those_of_scikit_learn() -> None:
    X, Y = np.array([[1.0, 0], [9.0, 1], [0, 1], [1, 8.0]]), np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    assert BRkNN(k=2, metric="cosine").fit(X, Y).predict([[0.1, 0.0], [0, 30.0]]).tolist() == [[1, 0], [0, 1]]


def test_br_knn_is_the_classifier_of_scikit_learn() -> None:
    X, Y = table()
    new = table(seed=1)[0]
    theirs = KNeighborsClassifier(n_neighbors=5).fit(X, Y)
    ours = BRkNN(k=5).fit(X, Y)
    assert np.allclose(ours.predict_proba(new), np.stack([pair[:, 1] for pair in theirs.predict_proba(new)], axis=1))
    assert np.array_equal(ours.predict(new), theirs.predict(new))


def test_both_extensions_worked_by_hand() -> None:
    # All four rows are neighbours; labels a, b, c, d stand 2, 1, 3, 0 times: sets of 6 / 4 = 1.5 labels, so 2.
    X, Y = np.zeros((4, 1)), np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]])
    assert BRkNN(k=4).fit(X, Y).predict([[0.0]]).tolist() == [[0, 0, 1, 0]]
    assert BRkNN(k=4, extension="a").fit(X, Y).predict([[0.0]]).tolist() == [[0, 0, 1, 0]]
    assert BRkNN(k=4, extension="b").fit(X, Y).predict([[0.0]]).tolist() == [[1, 0, 1, 0]]
    # Without row 3's c, no label has more than half: 2, 1, 2, 0, mean 5 / 4, so 1; of equals the first.
    Y[3, 2] = 0
    assert BRkNN(k=4).fit(X, Y).predict([[0.0]]).tolist() == [[0, 0, 0, 0]]
    assert BRkNN(k=4, extension="a").fit(X, Y).predict([[0.0]]).tolist() == [[1, 0, 0, 0]]
    assert BRkNN(k=4, extension="b").fit(X, Y).predict([[0.0]]).tolist() == [[1, 0, 0, 0]]


def test_where_no_neighbour_has_a_label_the_set_stays_empty() -> None:
    X, Y = np.zeros((4, 1)), np.zeros((4, 3), dtype=int)
    for extension in (None, "a", "b"):
        assert not BRkNN(k=4, extension=extension).fit(X, Y).predict([[0.0]]).any()


def test_the_most_counted_labels_are_as_many_as_asked_for() -> None:
    chosen = most_counted(np.array([[3, 1, 2], [1, 1, 1], [0, 5, 5]]), np.array([2, 1, 0]))
    assert chosen.astype(int).tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_iblr_ml_is_logistic_regression_on_shares_among_the_other_rows() -> None:
    X, Y = table()
    new, k = table(seed=1)[0], 5
    distance = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    shares = Y[np.argsort(distance, axis=1)[:, :k]].mean(axis=1)
    asked = np.stack([Y[np.argsort(np.linalg.norm(X - x, axis=1))[:k]].mean(axis=0) for x in new])
    ours = IBLRML(k=k, strength=2.0).fit(X, Y).predict_proba(new)
    for label in range(4):
        theirs = LogisticRegression(C=0.5, max_iter=1000).fit(shares, Y[:, label])
        assert np.allclose(ours[:, label], theirs.predict_proba(asked)[:, 1])


def test_iblr_ml_under_an_endless_penalty_says_how_often_each_label_is_on() -> None:
    X, Y = table()
    assert np.allclose(IBLRML(k=3, strength=1e9).fit(X, Y).predict_proba(X), Y.mean(axis=0), atol=1e-3)


def test_iblr_ml_learns_from_other_labels_neighbours_what_its_own_do_not_tell() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(400, 2))
    sign = X[:, 0] > 0
    Y = np.column_stack([sign, sign & (chance.random(400) < 0.4)]).astype(int)
    model = IBLRML(k=10).fit(X, Y)
    own = model.columns_[1].estimator.coef_[0]
    assert own[0] > 1.0  # the weight of label 0's share in the regression of label 1


@pytest.mark.parametrize(("model", "need"), [(MLkNN(k=6), 7), (IBLRML(k=6), 7), (BRkNN(k=7), 7)])
def test_too_few_rows_for_so_many_neighbours_are_refused(model: object, need: int) -> None:
    with pytest.raises(DataError, match=f"has n_samples = 6; . neighbours need at least {need}. Lower k"):
        model.fit(X6, Y6)


def test_ml_knn_on_yeast_is_as_good_as_the_literature_says(data_folder: Path) -> None:
    """Zhang, Zhou 2007 report a Hamming loss of .194 in ten folds. Here it would be .209, were a row its own
    neighbour."""
    table = pd.read_parquet(data_folder / "tabular" / "yeast.parquet")
    labels = [column for column in table if column.startswith("Class")]
    train = (table["split"] == "train").to_numpy()
    X, Y = table.drop(columns=[*labels, "split"]).to_numpy(float), table[labels].to_numpy(int)
    model = MLkNN(k=10).fit(X[train], Y[train])
    assert np.mean(model.predict(X[~train]) != Y[~train]) == pytest.approx(0.198, abs=0.001)


@pytest.mark.parametrize("rows", [12, 13, 300, 1200])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_the_nearest_rows_are_those_of_scikit_learn(rows: int, shift: float) -> None:
    chance = np.random.default_rng(0)
    X, new = chance.normal(size=(rows, 20)) + shift, chance.normal(size=(30, 20)) + shift
    ours, theirs = NearestRows(X, 10), NearestNeighbors(n_neighbors=10).fit(X)
    for asked in (None, new):
        assert np.array_equal(np.sort(ours.kneighbors(asked)), np.sort(theirs.kneighbors(asked, return_distance=False)))


@pytest.mark.parametrize("density", [0.02, 0.3])
def test_the_nearest_sparse_rows_are_at_the_distances_of_scikit_learn(density: float) -> None:
    X = sparse.random(400, 60, density, format="csr", random_state=0)  # many at the same distance
    found = NearestRows(X, 4).kneighbors()
    distance, _ = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(X.toarray()).kneighbors()
    ours = np.sort(np.linalg.norm(X.toarray()[:, None] - X.toarray()[found], axis=2))
    assert ours == pytest.approx(distance, abs=1e-6)
    assert not (found == np.arange(400)[:, None]).any()


def test_rows_that_single_precision_cannot_tell_apart_are_told_apart_in_double() -> None:
    X = np.zeros((40, 20))
    X[:, 0] = 1e4 + np.random.default_rng(0).permutation(40) * 1e-2
    X[:, 1] = np.where(np.arange(40) < 20, -1e4, 1e4)
    near = NearestRows(X, 3).kneighbors(X[:5])
    away = np.abs(X[near, 0] - X[:5, :1])
    assert (X[near, 1] == -1e4).all()
    assert away.max(axis=1) == pytest.approx(np.sort(np.abs(X[:20, 0] - X[:5, :1]), axis=1)[:, 2])


def test_of_rows_at_the_same_distance_the_first_are_neighbours() -> None:
    X = sparse.csr_array(np.eye(30, 25))
    assert np.sort(NearestRows(X, 3).kneighbors(sparse.csr_array((1, 25)))).tolist() == [[25, 26, 27]]  # rows of zeros
    assert least(np.array([[2.0, 1.0, 2.0, 2.0, 1.0]]), 3).tolist() == [[0, 1, 4]]


def first_nearest(X: np.ndarray, new: np.ndarray, k: int, own: bool = False) -> np.ndarray:
    """By the definition, of equals the first; numbers rounded so that equal rows are at equal distances."""
    away = ((X[None] - new[:, None]) ** 2).sum(axis=2).round(9)
    if own:
        np.fill_diagonal(away, np.inf)
    return np.sort(np.argsort(away, axis=1, kind="stable")[:, :k], axis=1)


@pytest.mark.parametrize("as_sparse", [True, False])
@pytest.mark.parametrize("kind", ["words", "counts", "shares", "doubled rows"])
def test_the_nearest_rows_are_those_of_the_definition_whatever_the_values(kind: str, as_sparse: bool) -> None:
    chance = np.random.default_rng(0)
    X = (chance.random((230, 80)) < 0.04) * {"words": np.ones(1), "counts": chance.integers(1, 400, size=(230, 80)),
                                             "shares": chance.random((230, 80)),
                                             "doubled rows": chance.random((230, 80))}[kind].astype(float)
    if kind == "doubled rows":
        X[100:200] = X[:100]
        X[200:215] = 0.0  # more equals than neighbours, near to all rows
    X, new = X[:200].copy() if kind != "doubled rows" else X, X[200:].copy()
    search = NearestRows(sparse.csr_array(X) if as_sparse else X, 6)
    assert search.whole == (kind in ("words", "counts"))
    assert search.sparse == as_sparse
    assert np.array_equal(np.sort(search.kneighbors()), first_nearest(X, X, 6, own=True))
    for asked in (new, new + 0.25 * (new > 0)):  # the second are no whole numbers
        found = np.sort(search.kneighbors(sparse.csr_array(asked) if as_sparse else asked))
        assert np.array_equal(found, first_nearest(X, asked, 6))


def test_numbers_too_large_for_single_precision_are_compared_in_double() -> None:
    X = np.random.default_rng(0).normal(size=(60, 20))
    for train, new in ((1e20, 1e20), (1.0, 1e20)):
        found = NearestRows(X * train, 3).kneighbors(X[:9] * new)
        theirs = NearestNeighbors(n_neighbors=3).fit(X * train).kneighbors(X[:9] * new, return_distance=False)
        if train == new:  # from so far away only double precision's own rounding is left
            assert np.array_equal(np.sort(found), np.sort(theirs))
        assert found.shape == theirs.shape


def test_a_table_too_large_to_be_made_dense_gives_the_same_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    X = sparse.random(150, 90, 0.04, format="csr", random_state=1)
    dense = np.sort(NearestRows(X, 5).kneighbors())
    monkeypatch.setattr(nearest, "DENSE_ENTRIES", 100)
    search = NearestRows(X, 5)
    assert not search.has_single
    assert np.array_equal(np.sort(search.kneighbors()), dense)


@pytest.mark.parametrize("often", [0.0, 0.3])
def test_products_are_those_of_the_dense_tables_whatever_way_they_are_taken(often: float) -> None:
    chance = np.random.default_rng(0)
    share = np.where(np.arange(40) % 3 == 0, often, 0.01)  # words of many rows, of few, and of none
    X = ((chance.random((120, 40)) < share) * chance.integers(-9, 9, size=(120, 40))).astype(float)
    rows, new = sparse.csr_array(X), X[::-1][:7].copy()
    ways = [(DenseProducts(X, np.float32), new, 1), (SparseProducts(rows, np.float64), sparse.csr_array(new), 1),
            (MixedProducts(rows, np.float32), sparse.csr_array(new), 1),
            (MixedProducts(rows, np.int16, scale=2), sparse.csr_array(new), 2)]
    for products, asked, scale in ways:
        assert np.array_equal(products.times(asked), scale * new @ X.T)
        assert np.array_equal(products.among(slice(3, 50)), scale * X[3:50] @ X.T)
        assert np.array_equal(products.among(slice(0, 120)), scale * X @ X.T)


@pytest.mark.parametrize("last", [1.0, 2.0])  # squared lengths of 10,922, the most that two bytes hold, and of more
def test_whole_numbers_as_large_as_two_bytes_allow_are_compared_exactly(last: float) -> None:
    X = np.zeros((40, 120))
    X[:, :5] = [104, 10, 2, 1, last]
    X[20:] *= -1
    assert np.square(X[0]).sum() > nearest.SHORT or last == 1.0
    near = np.sort(NearestRows(sparse.csr_array(X), 19).kneighbors())
    assert all(near[row].tolist() == [other for other in range(40) if other != row and (other < 20) == (row < 20)]
               for row in range(40))
