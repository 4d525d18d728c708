"""The Huffman tree of hierarchical softmax."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core

# Words of equal count come in order of first appearance.  Neighbours in that order share a topic,
# and as sibling leaves they share most of a path.  This lowers the loss of small corpora, by 0.13
# nats with baskets.  It raises the loss for words seen once or twice, which only share a sentence,
# and lowers SimLex on large corpora (benchmarks/NOTES.md, "Ties in the tree").
IN_ORDER, SHUFFLED = TIES = ("in order", "shuffled")
MIN_COUNT_IN_ORDER = 3
SHUFFLED_FROM_TOKENS = 10_000_000


@dataclass(frozen=True)
class HuffmanPaths:
    """Each word's way from the root of the tree.

    begin: (n_words + 1,) int64: word w's steps are steps[begin[w]:begin[w + 1]].
    steps: (n_steps,) int32, inner node * 2 + code bit; inner nodes are 0..n_words - 2, the
    root is the last.  ties: the order of words of equal count, one of TIES.
    """

    begin: NDArray[np.int64]
    steps: NDArray[np.int32]
    ties: str

    @property
    def code_lengths(self) -> NDArray[np.int64]:
        """Steps per word: (n_words,) int64."""
        return np.diff(self.begin)

    @property
    def longest(self) -> int:
        """Steps of the longest path."""
        return int(self.code_lengths.max())


def huffman_paths(counts: NDArray[np.int64], ties: str | None = None) -> HuffmanPaths:
    """Return the paths of an optimal prefix code, in time linear in the words and steps.

    counts: (n_words,) int64 >= 0, at least 2.  ties: the order of words of equal count, one of
    TIES, None for the one that suits so many tokens.  Raises ValueError for fewer than 2 words.
    Reference: Huffman 1952; hierarchical softmax: Mikolov et al. 2013 (1310.4546), section 2.1.
    """
    n_words = len(counts)
    order = np.argsort(-counts, kind="stable")
    falling = np.ascontiguousarray(counts[order])
    parent = np.zeros(2 * n_words - 1, np.int32)
    bit = np.zeros(2 * n_words - 1, np.uint8)
    begin = np.zeros(n_words + 1, np.int64)
    weights = np.zeros(max(n_words - 1, 0), np.int64)
    leaf = np.empty(n_words, np.int32)
    ties = ties or (SHUFFLED if counts.sum() >= SHUFFLED_FROM_TOKENS else IN_ORDER)
    leaf[order] = leaves(falling, ties)
    n_steps = _core.huffman_tree(falling, weights, parent, bit, leaf, begin)
    steps = np.empty(n_steps, np.int32)
    _core.huffman_paths(parent, bit, leaf, begin, steps)
    return HuffmanPaths(begin, steps, ties)


def leaves(counts: NDArray[np.int64], ties: str) -> NDArray[np.int32]:
    """Return the leaf of each word, (n_words,) int32: words of equal count may change places.

    counts: (n_words,) int64, descending.  The code stays optimal.
    """
    places = np.random.default_rng(0).random(len(counts))
    shuffled = np.lexsort((places, -counts)).astype(np.int32)
    if ties == SHUFFLED:
        return shuffled
    n_in_order = np.count_nonzero(counts >= MIN_COUNT_IN_ORDER)
    shuffled[:n_in_order] = np.arange(n_in_order)
    return shuffled
