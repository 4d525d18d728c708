"""Reduced precision: float16, and int8 with a scale per row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import SaveError
from fastw2v.formats.records import check_dtype
from fastw2v.formats.word_vectors import BLOCK_ROWS, WordVectors

INT8_STEPS = 127  # symmetric, -127 to 127: negating a row negates its values
SAMPLE_WORDS = 1000  # compared pairwise: half a million pairs


def as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the values as float32; larger ones become infinite, which readers then refuse."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32, copy=False)


@dataclass(frozen=True)
class Reduced:
    """Vectors of a reduced type.

    values: (n_words, dim) float32, float16 or int8.
    scales: (n_words,) float32, for int8 only: the row factors, 0 for a zero row.
    """

    values: NDArray[Any]
    scales: NDArray[np.float32] | None = None

    def restored(self) -> NDArray[np.float32]:
        """Return the (n_words, dim) float32 vectors that a reader gets."""
        values = as_float32(self.values)
        if self.scales is None:
            return values
        with np.errstate(over="ignore", invalid="ignore"):
            return values * self.scales[:, np.newaxis]


def reduce_vectors(path: str, word_vectors: WordVectors, dtype: str) -> Reduced:
    """Convert the vectors to this dtype.

    Raises SaveError naming the first word whose vector is not finite or exceeds float16's maximum
    of 65,504.
    """
    check_dtype(dtype)
    vectors = word_vectors.vectors
    if dtype == "float32":
        return Reduced(vectors)
    largest = np.empty(len(vectors), np.float32)
    for first in range(0, len(vectors), BLOCK_ROWS):
        rows = vectors[first : first + BLOCK_ROWS]
        largest[first : first + BLOCK_ROWS] = np.abs(rows).max(axis=1, initial=0)
    limit = np.finfo(np.float16).max if dtype == "float16" else np.finfo(np.float32).max
    bad = np.flatnonzero(~(largest <= limit))
    if len(bad):
        word = word_vectors.words[int(bad[0])]
        raise SaveError(f"cannot write {path}: {dtype} cannot hold the vector of {word!r}")
    if dtype == "float16":
        return Reduced(vectors.astype(np.float16))
    scales = largest / np.float32(INT8_STEPS)
    values = np.zeros(vectors.shape, np.int8)
    for first in range(0, len(vectors), BLOCK_ROWS):
        block = slice(first, first + BLOCK_ROWS)
        divisors = np.where(scales[block] > 0, scales[block], 1)[:, np.newaxis]
        steps = np.rint(vectors[block] / divisors)
        values[block] = np.clip(steps, -INT8_STEPS, INT8_STEPS)
    return Reduced(values, scales)


def without_model(word_vectors: WordVectors) -> WordVectors:
    """Return only words, vectors and counts."""
    return WordVectors(word_vectors.words, word_vectors.vectors, word_vectors.counts)


def similarity_loss(
    before: NDArray[np.float32], after: NDArray[np.float32]
) -> tuple[float, float, int]:
    """Measure how much a change of precision changes the cosines between rows.

    before, after: (n_words, dim).  Compares all pairs of up to SAMPLE_WORDS evenly spaced rows.
    Returns (mean change, largest change, number of pairs).
    """
    rows = np.unique(np.linspace(0, len(before) - 1, SAMPLE_WORDS).astype(np.int64))
    if len(before) < 2:
        return 0.0, 0.0, 0
    changes = np.abs(_cosines(before[rows]) - _cosines(after[rows]))
    pairs = changes[np.triu_indices(len(rows), 1)]
    return float(pairs.mean()), float(pairs.max()), len(pairs)


def _cosines(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    norms = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    wide /= np.where(norms > 0, norms, 1)
    cosines: NDArray[np.float64] = wide @ wide.T
    return cosines
