import tracemalloc

import numpy as np
import pytest

from fastw2v import neighbours


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(500, 16)).astype(np.float32)[:, :10]


def test_cosines_match_float64(vectors):
    query = vectors[7] / np.linalg.norm(vectors[7])
    wide = vectors.astype(np.float64)
    expected = wide @ wide[7] / np.linalg.norm(wide, axis=1) / np.linalg.norm(wide[7])
    got = neighbours.cosines(vectors, neighbours.row_norms(vectors), query)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_row_of_zeros_has_cosine_zero_and_stays_zeros(vectors):
    vectors[3] = 0
    assert neighbours.cosines(vectors, neighbours.row_norms(vectors), vectors[0])[3] == 0
    assert not neighbours.unit_rows(vectors)[3].any()


@pytest.mark.parametrize("n_top", [1, 7, 499, 500, 900])
def test_top_rows_agree_with_a_full_sort(rng, n_top):
    scores = rng.integers(0, 400, 500).astype(np.float32)
    np.testing.assert_array_equal(
        scores[neighbours.top_rows(scores, n_top)], np.sort(scores)[::-1][:n_top]
    )


def test_top_rows_put_nan_last_and_the_lower_row_first():
    scores = np.array([1, np.nan, 3, 3, 2], np.float32)
    assert neighbours.top_rows(scores, 5).tolist() == [2, 3, 4, 0, 1]
    assert neighbours.top_rows(scores, 3).tolist() == [2, 3, 4]


@pytest.mark.parametrize("blocks", [(1024, 4096), (7, 11), (1, 1)])
def test_best_rows_agree_with_all_scores_at_once(rng, vectors, monkeypatch, blocks):
    monkeypatch.setattr(neighbours, "QUERY_BLOCK", blocks[0])
    monkeypatch.setattr(neighbours, "ROW_BLOCK", blocks[1])
    queries = rng.normal(size=(20, 10)).astype(np.float32)
    barred = rng.integers(-1, 500, (20, 4))
    barred[:, 0] = (queries @ neighbours.unit_rows(vectors).T).argmax(axis=1)
    scores = queries @ neighbours.unit_rows(vectors).T
    for row, columns in enumerate(barred):
        scores[row, columns[columns >= 0]] = -np.inf
    expected = scores.argmax(axis=1)
    np.testing.assert_array_equal(neighbours.best_rows(vectors, queries, barred), expected)


def test_best_rows_never_answer_with_a_row_without_direction(vectors):
    vectors[:] = [[0.0], [np.nan], [np.inf], [-np.inf]] * 125
    vectors[9] = 1
    queries = np.ones((1, 10), np.float32)
    none = np.zeros((1, 0), np.int64)
    assert neighbours.best_rows(vectors, queries, none).tolist() == [9]
    assert neighbours.best_rows(vectors, queries, np.array([[9]])).tolist() == [-1]


def test_one_query_does_not_copy_the_matrix(rng):
    vectors = rng.normal(size=(20_000, 112)).astype(np.float32)[:, :100]
    tracemalloc.start()
    norms = neighbours.row_norms(vectors)
    neighbours.top_rows(neighbours.cosines(vectors, norms, vectors[0]), 10)
    n_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_peak < vectors.nbytes / 5
