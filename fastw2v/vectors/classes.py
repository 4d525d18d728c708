"""Word classes from k-means on the vectors, like -classes in word2vec.c."""

from collections.abc import Callable, Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_integer
from fastw2v.base.compression import write_packed
from fastw2v.errors import UsageError

N_ROUNDS = 10  # word2vec.c
BLOCK_ROWS = 8192  # rows per matrix product
MAX_SCORES = 1 << 24  # in one product: 64 MiB


def check_classes(n_classes: int, n_words: int) -> None:
    """Raise UsageError unless the words can be put into so many classes."""
    check_integer("n_classes", n_classes, 1)
    if n_classes > n_words:
        raise UsageError(
            f"n_classes must be at most the number of words, {n_words:,}, got {n_classes:,}"
        )


def word_classes(
    vectors: NDArray[np.float32],
    n_classes: int,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.int64]:
    """Assign each word to a class by spherical k-means, as word2vec.c does.

    A word starts in class (row modulo n_classes).  In each of ten rounds, every word moves to the
    class with the nearest normalised mean.  A class that loses all its words stays empty.

    vectors: (n_words, dim) float32, most frequent word first.  n_classes: 1..n_words.
    progress: called with the share of the work that is done.
    Returns (n_words,) int64 in 0..n_classes - 1.
    Raises UsageError if n_classes is less than 1 or above n_words.
    """
    check_classes(n_classes, len(vectors))
    classes = np.arange(len(vectors)) % n_classes
    for number in range(N_ROUNDS):
        before = classes.copy()
        centroids, is_void = _centroids(vectors, classes, n_classes)
        block_rows = min(BLOCK_ROWS, max(1, MAX_SCORES // n_classes))
        for begin in range(0, len(vectors), block_rows):
            scores = vectors[begin : begin + block_rows] @ centroids.T
            scores[:, is_void] = -np.inf
            classes[begin : begin + block_rows] = scores.argmax(axis=1)
            if progress is not None:
                progress((number + min((begin + block_rows) / len(vectors), 1)) / N_ROUNDS)
        if (classes == before).all():  # no later round changes anything
            break
    if progress is not None:
        progress(1.0)
    return classes


def _centroids(
    vectors: NDArray[np.float32], classes: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the (n_classes, dim) unit means, and the (n_classes,) mask of those without one."""
    centroids = np.zeros((n_classes, vectors.shape[1]), np.float32)
    np.add.at(centroids, classes, vectors)
    norms = np.linalg.norm(centroids, axis=1, keepdims=True)
    centroids /= np.where(norms > 0, norms, 1)
    return centroids, ~(norms[:, 0] > 0)


def write_classes(
    path: str | PathLike[str], words: Sequence[str], classes: NDArray[np.int64]
) -> None:
    """Write a line `word class` for each word.  Raises SaveError."""
    with write_packed(path) as file:
        for word, number in zip(words, classes.tolist(), strict=True):
            file.write(f"{word} {number}\n".encode("utf-8", "surrogateescape"))
