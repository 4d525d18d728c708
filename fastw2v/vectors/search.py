"""Cosines and nearest rows of a matrix of vectors; every search is exact."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Scores held at once are 1024 x 4096 float32, 16 MiB: products large enough for BLAS and small
# enough to be searched while still in the last-level cache.
QUERY_BLOCK = 1024
ROW_BLOCK = 4096


def row_norms(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) Euclidean length of each row of (n_rows, dim), without a copy."""
    dtype = np.result_type(vectors, np.float32)  # the squares of float16 would overflow at 256
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=dtype)))


def divide_rows(rows: NDArray[Any], norms: NDArray[Any]) -> NDArray[Any]:
    """Return each row, or each single value, over its norm; a zero norm gives zeros.

    rows: (n_rows, dim) or (n_rows,).  norms: (n_rows,), of the same type.
    """
    divisors = norms.reshape(-1, *[1] * (rows.ndim - 1))
    with np.errstate(invalid="ignore"):  # rows that are not finite stay so
        np.divide(rows, divisors, out=(quotients := np.zeros_like(rows)), where=divisors != 0)
    return quotients


def unit_rows(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows, dim) rows scaled to length 1; a row of zeros stays as it is."""
    return divide_rows(vectors, row_norms(vectors))


def unit_vector(vector: NDArray[Any]) -> NDArray[Any]:
    """Return one (dim,) vector scaled to length 1; zeros stay as they are."""
    return np.asarray(unit_rows(vector[np.newaxis])[0])


def dot_products(vectors: NDArray[Any], queries: NDArray[Any]) -> NDArray[Any]:
    """Return the products of rows, (n_rows, dim), with one query (dim,) or several (n, dim).

    Returns (n_rows,) or (n, n_rows), float32 at least: BLAS knows no smaller type.
    """
    wide = vectors.astype(np.result_type(vectors, np.float32), copy=False)
    queries = queries.astype(wide.dtype, copy=False)
    with np.errstate(invalid="ignore"):
        return np.asarray(wide @ queries if queries.ndim == 1 else queries @ wide.T)


def cosines(vectors: NDArray[Any], norms: NDArray[Any], query: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) cosine of each row with a query of length 1; 0 for a row of zeros.

    vectors: (n_rows, dim); may be a view with padded rows, which is not copied.
    norms: (n_rows,) lengths of the rows.  query: (dim,).
    """
    if vectors.itemsize >= 4:
        return divide_rows(dot_products(vectors, query), norms)
    parts = range(0, len(vectors), ROW_BLOCK)
    scores = [dot_products(vectors[first : first + ROW_BLOCK], query) for first in parts]
    return divide_rows(np.concatenate([*scores, np.zeros(0, np.float32)]), norms)


def top_rows(scores: NDArray[Any], n_top: int) -> NDArray[np.intp]:
    """Return the rows of the n_top highest scores, best first; the lower row wins a tie.

    scores: (n_rows,); NaN counts as lowest.  Takes time linear in n_rows.
    """
    if n_top >= len(scores):
        best = np.arange(len(scores))
    else:
        best = np.argpartition(-scores, n_top)[:n_top]  # NaN sorts last
    return best[np.lexsort((best, -scores[best]))]


def best_rows(
    scores: NDArray[Any], norms: NDArray[Any], n_top: int, left_out: set[int]
) -> list[int]:
    """Return the n_top rows with the highest scores, best first, except those left out.

    scores: (n_rows,); those of rows of zeros are overwritten.  norms: (n_rows,) lengths.
    Rows of zeros, and rows whose score is NaN, are never among them.
    """
    scores[norms == 0] = -np.inf
    best = top_rows(scores, n_top + len(left_out)).tolist()
    return [row for row in best if row not in left_out and scores[row] > -np.inf][:n_top]


def cosine_products(
    vectors: NDArray[Any], norms: NDArray[Any], queries: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """Return the (n_rows,) products of each row's cosines with all queries, shifted to 0..1.

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
    """Return the rows nearest to each of many queries, and their cosines, best first.

    vectors, norms: (n_rows, dim) and (n_rows,), as for cosines.
    queries: (n, dim) of length 1 (of any length where only the order counts).
    barred: (n, k) rows that may not be found; -1 stands for none.
    Returns (n, n_top) rows and scores.  Rows of zeros, or with values that are not finite, are
    never found; where no row is left, the row is -1 and the score -inf.
    """
    best = _Best(len(queries), n_top, np.result_type(vectors, np.float32))
    barred = np.empty((len(queries), 0), np.int64) if barred is None else barred
    for start in range(0, len(vectors), ROW_BLOCK):
        rows, lengths = vectors[start : start + ROW_BLOCK], norms[start : start + ROW_BLOCK]
        is_void = ~((lengths > 0) & np.isfinite(lengths))
        with np.errstate(divide="ignore"):
            factors = 1 / lengths.astype(best.scores.dtype, copy=False)
        for first in range(0, len(queries), QUERY_BLOCK):
            part = slice(first, first + QUERY_BLOCK)
            scores = dot_products(rows, queries[part])
            with np.errstate(invalid="ignore"):
                scores *= factors
            scores[:, is_void] = -np.inf
            _bar(scores, barred[part] - start)
            best.take(part, start, scores)
    return best.sorted()


class _Best:
    """The best rows and scores found so far, (n, n_top) each, in no order."""

    def __init__(self, n: int, n_top: int, dtype: np.dtype[Any]) -> None:
        self.rows = np.full((n, n_top), -1, np.int64)
        self.scores = np.full((n, n_top), -np.inf, dtype)

    def take(self, part: slice, start: int, scores: NDArray[Any]) -> None:
        """Take what is better from the scores of some queries, (n_part, n_rows from start on)."""
        # Few queries find anything better in a block after the first: only those are looked at.
        n_top = self.scores.shape[1]
        better = np.flatnonzero(scores.max(axis=1) > self.scores[part].min(axis=1))
        scores = scores[better] if len(better) < len(scores) else scores
        columns = _top_columns(scores, n_top)
        found = np.concatenate(
            [self.scores[part][better], np.take_along_axis(scores, columns, 1)], 1
        )
        rows = np.concatenate([self.rows[part][better], start + columns], 1)
        kept = _top_columns(found, n_top)
        self.scores[part][better] = np.take_along_axis(found, kept, 1)
        self.rows[part][better] = np.take_along_axis(rows, kept, 1)

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return rows and scores, best first; the lower row wins a tie."""
        order = np.lexsort((self.rows, -self.scores), axis=1)
        rows, scores = (np.take_along_axis(a, order, 1) for a in (self.rows, self.scores))
        return np.where(scores == -np.inf, -1, rows), scores


def _top_columns(scores: NDArray[Any], n_top: int) -> NDArray[np.intp]:
    """Return the (n, up to n_top) columns of the highest scores of each row, in no order."""
    if n_top == 1:
        return np.asarray(scores.argmax(axis=1)[:, np.newaxis])
    n_top = min(n_top, scores.shape[1])
    return np.asarray(np.argpartition(scores, scores.shape[1] - n_top, axis=1)[:, -n_top:])


def _bar(scores: NDArray[Any], columns: NDArray[np.int64]) -> None:
    """Set the scores in these (n, k) columns, where they exist, below all others."""
    queries, places = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, places]] = -np.inf
