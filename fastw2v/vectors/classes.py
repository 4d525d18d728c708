"""Word classes: k-means on the vectors, as word2vec.c's -classes writes them."""

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.checks import check_integer

N_ROUNDS = 10  # word2vec.c
BLOCK_ROWS = 8192  # rows compared at a time, so that memory stays small


def word_classes(vectors: NDArray[np.float32], n_classes: int) -> NDArray[np.int64]:
    """Return a class for each word: spherical k-means from word2vec.c's start.

    vectors: (n_words, dim) float32, most frequent word first.  n_classes: >= 1.
    Returns (n_words,) int64 in 0..n_classes - 1: words start in class index modulo n_classes,
    and in each of ten rounds join the class whose normalised mean their vector is nearest to.
    A class that has lost all its words stays empty.  Raises UsageError if n_classes < 1.
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
    """Write a line `word class` for each word; raise SaveError if that fails."""
    with atomic_write(path) as file:
        for word, number in zip(words, classes.tolist(), strict=True):
            file.write(f"{word} {number}\n".encode("utf-8", "surrogateescape"))
