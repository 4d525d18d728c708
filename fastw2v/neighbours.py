"""Cosines and nearest rows of a matrix of vectors; every search is exact."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Scores held at once are 1024 x 4096 float32, 16 MiB: products large enough for BLAS and small
# enough to be searched while still in the last-level cache.
QUERY_BLOCK = 1024
ROW_BLOCK = 4096


def row_norms(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) Euclidean length of each row of (n_rows, dim), without a copy."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


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


def cosines(vectors: NDArray[Any], norms: NDArray[Any], query: NDArray[Any]) -> NDArray[Any]:
    """Return the (n_rows,) cosine of each row with a query of length 1; 0 for a row of zeros.

    vectors: (n_rows, dim); may be a view with padded rows, which is not copied.
    norms: (n_rows,) lengths of the rows.  query: (dim,).
    """
    with np.errstate(invalid="ignore"):
        scores = vectors @ query.astype(vectors.dtype, copy=False)
    return divide_rows(scores, norms)


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
    vectors: NDArray[Any], queries: NDArray[Any], barred: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each query the row with the highest cosine, of those not barred for it.

    vectors: (n_rows, dim).  queries: (n, dim), of any length.
    barred: (n, k) rows that may not be the answer; -1 stands for none.
    Returns (n,) rows, -1 where all are barred; a row of zeros, or with values that are not
    finite, is never the answer.
    """
    best = np.full(len(queries), -1, np.int64)
    best_scores = np.full(len(queries), -np.inf, vectors.dtype)
    for start in range(0, len(vectors), ROW_BLOCK):
        units = unit_rows(vectors[start : start + ROW_BLOCK])
        is_void = ~(row_norms(units) > 0)
        units[is_void] = 0
        for first in range(0, len(queries), QUERY_BLOCK):
            part = slice(first, first + QUERY_BLOCK)
            scores = queries[part] @ units.T
            scores[:, is_void] = -np.inf
            _bar(scores, barred[part] - start)
            rows = scores.argmax(axis=1)
            found = scores[np.arange(len(rows)), rows]
            better = found > best_scores[part]
            best[part][better] = start + rows[better]
            best_scores[part][better] = found[better]
    return best


def _bar(scores: NDArray[Any], columns: NDArray[np.int64]) -> None:
    """Set the scores in these (n, k) columns, where they exist, below all others."""
    queries, places = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, places]] = -np.inf
