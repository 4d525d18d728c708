"""Word classes from k-means on the vectors, like -classes in word2vec.c."""

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_integer
from fastw2v.base.compression import write_packed

N_ROUNDS = 10  # word2vec.c
BLOCK_ROWS = 8192  # rows per matrix product; bounds the memory for scores


def word_classes(vectors: NDArray[np.float32], n_classes: int) -> NDArray[np.int64]:
    """Assign each word to a class by spherical k-means, as word2vec.c does.

    A word starts in class (row modulo n_classes).  In each of ten rounds, every word moves to the
    class with the nearest normalised mean.  A class that loses all its words stays empty.

    vectors: (n_words, dim) float32, most frequent word first.  n_classes: >= 1.
    Returns (n_words,) int64 in 0..n_classes - 1.
    Raises UsageError if n_classes < 1.
    """
    check_integer("n_classes", n_classes, 1)
    classes = np.arange(len(vectors)) % n_classes
    for _ in range(N_ROUNDS):
        centroids = np.zeros((n_classes, vectors.shape[1]), np.float32)
        np.add.at(centroids, classes, vectors)
        norms = np.linalg.norm(centroids, axis=1, keepdims=True)
        centroids /= np.where(norms > 0, norms, 1)
        is_void = ~(norms[:, 0] > 0)
        for begin in range(0, len(vectors), BLOCK_ROWS):
            scores = vectors[begin : begin + BLOCK_ROWS] @ centroids.T
            scores[:, is_void] = -np.inf
            classes[begin : begin + BLOCK_ROWS] = scores.argmax(axis=1)
    return classes


def write_classes(
    path: str | PathLike[str], words: Sequence[str], classes: NDArray[np.int64]
) -> None:
    """Write a line `word class` for each word.  Raises SaveError."""
    with write_packed(path) as file:
        for word, number in zip(words, classes.tolist(), strict=True):
            file.write(f"{word} {number}\n".encode("utf-8", "surrogateescape"))
