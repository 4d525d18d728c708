import tracemalloc

import numpy as np
import pytest

from fastw2v.vectors import search


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(500, 16)).astype(np.float32)[:, :10]


def test_cosines_match_float64(vectors):
    query = vectors[7] / np.linalg.norm(vectors[7])
    wide = vectors.astype(np.float64)
    expected = wide @ wide[7] / np.linalg.norm(wide, axis=1) / np.linalg.norm(wide[7])
    got = search.cosines(vectors, search.row_norms(vectors), query)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_row_of_zeros_has_cosine_zero_and_stays_zeros(vectors):
    vectors[3] = 0
    assert search.cosines(vectors, search.row_norms(vectors), vectors[0])[3] == 0
    assert not search.unit_rows(vectors)[3].any()


@pytest.mark.parametrize("n_top", [1, 7, 499, 500, 900])
def test_top_rows_agree_with_a_full_sort(rng, n_top):
    scores = rng.integers(0, 400, 500).astype(np.float32)
    np.testing.assert_array_equal(
        scores[search.top_rows(scores, n_top)], np.sort(scores)[::-1][:n_top]
    )


def test_top_rows_put_nan_last_and_the_lower_row_first():
    scores = np.array([1, np.nan, 3, 3, 2], np.float32)
    assert search.top_rows(scores, 5).tolist() == [2, 3, 4, 0, 1]
    assert search.top_rows(scores, 3).tolist() == [2, 3, 4]


@pytest.mark.parametrize("n_top", [1, 4, 600])
@pytest.mark.parametrize("blocks", [(1024, 4096), (7, 11), (1, 1)])
def test_nearest_rows_agree_with_all_scores_at_once(rng, vectors, monkeypatch, blocks, n_top):
    monkeypatch.setattr(search, "QUERY_BLOCK", blocks[0])
    monkeypatch.setattr(search, "ROW_BLOCK", blocks[1])
    queries = search.unit_rows(rng.normal(size=(20, 10)).astype(np.float32))
    barred = rng.integers(-1, 500, (20, 4))
    scores = queries @ search.unit_rows(vectors).T
    barred[:, 0] = scores.argmax(axis=1)
    for row, columns in enumerate(barred):
        scores[row, columns[columns >= 0]] = -np.inf
    norms = search.row_norms(vectors)
    rows, found = search.nearest_rows(vectors, norms, queries, n_top, barred)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :n_top]
    is_left = np.take_along_axis(scores, order, 1) > -np.inf
    assert rows.shape == found.shape == (20, n_top)
    ours, expected = rows[:, : order.shape[1]], np.take_along_axis(scores, order, 1)
    np.testing.assert_array_equal(ours >= 0, is_left)
    assert (rows[:, order.shape[1] :] == -1).all()
    assert all(len({*row[row >= 0]}) == (row >= 0).sum() for row in ours)
    # BLAS may sum blocks of other sizes in another order, and two that are as near change places.
    at_ours = np.take_along_axis(scores, ours, 1)
    np.testing.assert_allclose(at_ours[is_left], expected[is_left], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[:, : order.shape[1]][is_left], expected[is_left], atol=1e-6)


def test_rows_without_direction_are_never_found(vectors):
    vectors[:] = [[0.0], [np.nan], [np.inf], [-np.inf]] * 125
    vectors[9] = 1
    queries = np.ones((1, 10), np.float32)
    norms = search.row_norms(vectors)
    assert search.nearest_rows(vectors, norms, queries, 2)[0].tolist() == [[9, -1]]
    barred = np.array([[9]])
    assert search.nearest_rows(vectors, norms, queries, 1, barred)[0].tolist() == [[-1]]


def test_float16_is_computed_in_float32(rng):
    vectors = (100 * rng.normal(size=(500, 64))).astype(np.float16)
    norms = search.row_norms(vectors)
    wide = vectors.astype(np.float64)
    np.testing.assert_allclose(norms, np.linalg.norm(wide, axis=1), rtol=1e-6)
    query = search.unit_vector(vectors[3].astype(np.float32))
    expected = wide @ wide[3] / np.linalg.norm(wide, axis=1) / np.linalg.norm(wide[3])
    np.testing.assert_allclose(search.cosines(vectors, norms, query), expected, atol=1e-6)
    rows, _ = search.nearest_rows(vectors, norms, query[np.newaxis], 3)
    assert rows[0].tolist() == np.argsort(-expected)[:3].tolist()


def test_one_query_does_not_copy_the_matrix(rng):
    vectors = rng.normal(size=(20_000, 112)).astype(np.float32)[:, :100]
    tracemalloc.start()
    norms = search.row_norms(vectors)
    search.top_rows(search.cosines(vectors, norms, vectors[0]), 10)
    n_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_peak < vectors.nbytes / 5
