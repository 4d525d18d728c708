"""Exact cosines and nearest rows of a matrix of vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A block of scores is 1024 x 4096 float32, 16 MiB: large enough for an efficient BLAS call, small
# enough to stay in the last-level cache while it is searched.
QUERY_BLOCK = 1024
ROW_BLOCK = 4096


def row_norms(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) Euclidean norms of the rows of (n_rows, dim), without copying them."""
    dtype = np.result_type(vectors, np.float32)  # in float16, squares overflow from 256 on
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=dtype)))


def divide_rows(rows: NDArray[Any], norms: NDArray[Any]) -> NDArray[Any]:
    """Divide each row, or each single value, by its norm; a zero norm gives zeros.

    rows: (n_rows, dim) or (n_rows,).  norms: (n_rows,), same dtype.
    """
    divisors = norms.reshape(-1, *[1] * (rows.ndim - 1))
    with np.errstate(invalid="ignore"):  # non-finite rows stay non-finite
        np.divide(rows, divisors, out=(quotients := np.zeros_like(rows)), where=divisors != 0)
    return quotients


def unit_rows(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows, dim) rows scaled to length 1; zero rows stay zero."""
    return divide_rows(vectors, row_norms(vectors))


def unit_vector(vector: NDArray[Any]) -> NDArray[Any]:
    """Return one (dim,) vector scaled to length 1; a zero vector stays zero."""
    return np.asarray(unit_rows(vector[np.newaxis])[0])


def dot_products(vectors: NDArray[Any], queries: NDArray[Any]) -> NDArray[Any]:
    """Return the dot products of (n_rows, dim) rows with one query (dim,) or several (n, dim).

    Returns (n_rows,) or (n, n_rows), at least float32, because BLAS has no smaller type.
    """
    wide = vectors.astype(np.result_type(vectors, np.float32), copy=False)
    queries = queries.astype(wide.dtype, copy=False)
    with np.errstate(invalid="ignore"):
        return np.asarray(wide @ queries if queries.ndim == 1 else queries @ wide.T)


def cosines(vectors: NDArray[Any], norms: NDArray[Any], query: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) cosines of the rows with a query of length 1; 0 for zero rows.

    vectors: (n_rows, dim); may be a view with padded rows, and is not copied.
    norms: (n_rows,) norms of the rows.  query: (dim,).
    """
    if vectors.itemsize >= 4:
        return divide_rows(dot_products(vectors, query), norms)
    parts = range(0, len(vectors), ROW_BLOCK)
    scores = [dot_products(vectors[first : first + ROW_BLOCK], query) for first in parts]
    return divide_rows(np.concatenate([*scores, np.zeros(0, np.float32)]), norms)


def top_rows(scores: NDArray[Any], n_top: int) -> NDArray[np.intp]:
    """Return the rows of the n_top highest scores, best first; the lower row wins a tie.

    scores: (n_rows,); NaN ranks lowest.  Takes time linear in n_rows.
    """
    if n_top >= len(scores):
        best = np.arange(len(scores))
    else:
        best = np.argpartition(-scores, n_top)[:n_top]  # NaN sorts last
    return best[np.lexsort((best, -scores[best]))]


def best_rows(
    scores: NDArray[Any], norms: NDArray[Any], n_top: int, left_out: set[int]
) -> list[int]:
    """Return the n_top rows with the highest scores, best first, excluding left_out.

    Zero rows and rows with a NaN score are also excluded.
    scores: (n_rows,); the scores of zero rows are overwritten.  norms: (n_rows,).
    """
    scores[norms == 0] = -np.inf
    best = top_rows(scores, n_top + len(left_out)).tolist()
    return [row for row in best if row not in left_out and scores[row] > -np.inf][:n_top]


def cosine_products(
    vectors: NDArray[Any], norms: NDArray[Any], queries: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """Return the (n_rows,) product, over all queries, of each row's cosine shifted to 0..1.

    vectors, norms: as for cosines.  queries: (dim,) each, of length 1.
    """
    product = np.ones(len(vectors), vectors.dtype)
    for query in queries:
        product *= (1 + cosines(vectors, norms, query)) / 2
    return product


def nearest_rows(
    vectors: NDArray[Any],
    norms: NDArray[Any],
    queries: NDArray[Any],
    n_top: int,
    barred: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the rows nearest to each query and their cosines, best first.

    Zero rows and rows with non-finite values are never returned.
    vectors, norms: (n_rows, dim) and (n_rows,), as for cosines.
    queries: (n, dim) of length 1, or of any length if only the order matters.
    barred: (n, k) rows to exclude, padded with -1.
    Returns (n, n_top) int64 rows and (n, n_top) scores, padded with -1 and -inf.
    """
    best = _Best(len(queries), n_top, np.result_type(vectors, np.float32))
    barred = np.empty((len(queries), 0), np.int64) if barred is None else barred
    for begin in range(0, len(vectors), ROW_BLOCK):
        rows, lengths = vectors[begin : begin + ROW_BLOCK], norms[begin : begin + ROW_BLOCK]
        is_void = ~((lengths > 0) & np.isfinite(lengths))
        with np.errstate(divide="ignore"):
            factors = 1 / lengths.astype(best.scores.dtype, copy=False)
        for first in range(0, len(queries), QUERY_BLOCK):
            part = slice(first, first + QUERY_BLOCK)
            scores = dot_products(rows, queries[part])
            with np.errstate(invalid="ignore"):
                scores *= factors
            scores[:, is_void] = -np.inf
            _bar(scores, barred[part] - begin)
            best.take(part, begin, scores)
    return best.sorted()


class _Best:
    """The best rows and scores found so far, each (n, n_top), unsorted."""

    def __init__(self, n: int, n_top: int, dtype: np.dtype[Any]) -> None:
        self.rows = np.full((n, n_top), -1, np.int64)
        self.scores = np.full((n, n_top), -np.inf, dtype)

    def take(self, part: slice, first: int, scores: NDArray[Any]) -> None:
        """Merge in the (n_part, n_rows) scores of some queries with the rows from `start` on."""
        # After the first block, few queries find a better row; the others are skipped.
        n_top = self.scores.shape[1]
        better = np.flatnonzero(scores.max(axis=1) > self.scores[part].min(axis=1))
        scores = scores[better] if len(better) < len(scores) else scores
        columns = _top_columns(scores, n_top)
        found = np.concatenate(
            [self.scores[part][better], np.take_along_axis(scores, columns, 1)], 1
        )
        rows = np.concatenate([self.rows[part][better], first + columns], 1)
        top = _top_columns(found, n_top)
        self.scores[part][better] = np.take_along_axis(found, top, 1)
        self.rows[part][better] = np.take_along_axis(rows, top, 1)

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return rows and scores, best first; the lower row wins a tie."""
        order = np.lexsort((self.rows, -self.scores), axis=1)
        rows, scores = (np.take_along_axis(a, order, 1) for a in (self.rows, self.scores))
        return np.where(scores == -np.inf, -1, rows), scores


def _top_columns(scores: NDArray[Any], n_top: int) -> NDArray[np.intp]:
    """Return the columns of the n_top highest scores of each row, (n, <= n_top), unsorted."""
    if n_top == 1:
        return np.asarray(scores.argmax(axis=1)[:, np.newaxis])
    n_top = min(n_top, scores.shape[1])
    return np.asarray(np.argpartition(scores, scores.shape[1] - n_top, axis=1)[:, -n_top:])


def _bar(scores: NDArray[Any], columns: NDArray[np.int64]) -> None:
    """Set the scores in these (n, k) columns, if they exist, to -inf."""
    queries, positions = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, positions]] = -np.inf
