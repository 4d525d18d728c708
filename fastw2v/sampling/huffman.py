"""The Huffman tree of hierarchical softmax."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core

# "in order" sorts words of equal count by first appearance.  Neighbours in that order often share
# a topic.  As sibling leaves they share most of a path, which lowers the loss on small corpora (by
# 0.13 nats with baskets).  Words seen once or twice share only a sentence and do better shuffled.
# On large corpora, shuffling all ties gives a better SimLex score (benchmarks/NOTES.md, "Ties in
# the tree").
# "heaped" is the tree of gensim 4, for models that it saved with output rows of the nodes.
IN_ORDER, SHUFFLED, HEAPED = TIES = ("in order", "shuffled", "heaped")
MIN_COUNT_IN_ORDER = 3
SHUFFLED_FROM_TOKENS = 10_000_000


@dataclass(frozen=True)
class HuffmanPaths:
    """Paths from the root of a Huffman tree to each word.

    begin: (n_words + 1,) int64.  Word w has the steps steps[begin[w]:begin[w + 1]].
    steps: (n_steps,) int32, inner node * 2 + code bit.  Inner nodes are 0..n_words - 2; the root
    is the last one.
    ties: order of words with equal counts, one of TIES.
    """

    begin: NDArray[np.int64]
    steps: NDArray[np.int32]
    ties: str

    @property
    def code_lengths(self) -> NDArray[np.int64]:
        """Number of steps on each word's path: (n_words,) int64."""
        return np.diff(self.begin)

    @property
    def longest(self) -> int:
        """Number of steps on the longest path."""
        return int(self.code_lengths.max())


def huffman_paths(counts: NDArray[np.int64], ties: str | None = None) -> HuffmanPaths:
    """Return the paths of an optimal prefix code, in time linear in the words and steps.

    counts: (n_words,) int64 >= 0, n_words >= 2.
    ties: order of words with equal counts, one of TIES.  None chooses by the number of tokens:
    shuffled from SHUFFLED_FROM_TOKENS on, in order below.
    Raises ValueError for fewer than 2 words.
    Reference: Huffman 1952; hierarchical softmax: Mikolov et al. 2013 (1310.4546), section 2.1.
    """
    n_words = len(counts)
    if ties == HEAPED:
        return _heaped_paths(counts)
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


class _Node(int):
    """The count of a node, which orders the heap, with the number of the node."""

    number: int


def _heaped_paths(counts: NDArray[np.int64]) -> HuffmanPaths:
    """Return the paths in the tree that gensim builds with a heap of the words in their order."""
    n_words = len(counts)
    parent, bit = [0] * (2 * n_words - 1), [0] * (2 * n_words - 1)
    heap = []
    for number, count in enumerate(counts.tolist()):
        heap.append(_Node(count))
        heap[-1].number = number
    heapq.heapify(heap)
    for inner in range(n_words - 1):
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        parent[first.number] = parent[second.number] = inner
        bit[second.number] = 1
        node = _Node(first + second)
        node.number = n_words + inner
        heapq.heappush(heap, node)
    depths = [0] * (2 * n_words - 1)
    for number in [*range(2 * n_words - 3, n_words - 1, -1), *range(n_words)]:
        depths[number] = depths[n_words + parent[number]] + 1
    begin = np.concatenate([[0], np.cumsum(depths[:n_words])]).astype(np.int64)
    steps = np.empty(begin[-1], np.int32)
    leaf = np.arange(n_words, dtype=np.int32)
    _core.huffman_paths(np.array(parent, np.int32), np.array(bit, np.uint8), leaf, begin, steps)
    return HuffmanPaths(begin, steps, HEAPED)


def leaves(counts: NDArray[np.int64], ties: str) -> NDArray[np.int32]:
    """Return the leaf of each word, (n_words,) int32, with ties ordered as `ties` says.

    counts: (n_words,) int64, descending.  The order of ties does not change the code's total
    length.
    """
    keys = np.random.default_rng(0).random(len(counts))
    shuffled = np.lexsort((keys, -counts)).astype(np.int32)
    if ties == SHUFFLED:
        return shuffled
    n_in_order = np.count_nonzero(counts >= MIN_COUNT_IN_ORDER)
    shuffled[:n_in_order] = np.arange(n_in_order)
    return shuffled
