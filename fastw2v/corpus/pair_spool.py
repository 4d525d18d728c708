"""Encoded pairs, which the trainer reads in chunks like text."""

import numpy as np

from fastw2v.base.memory import Float32Array, Int32Array, Int64Array
from fastw2v.corpus.spool import (
    INDEX_STRIDE,
    Array,
    ChunkData,
    ChunkTable,
    Columns,
    MemoryColumn,
    Spool,
)
from fastw2v.errors import UsageError


class PairEnds:
    """The sentence ends of a stream of pairs: every second position."""

    def __init__(self, n_pairs: int) -> None:
        self.n_items = n_pairs

    def put(self, first: int, items: Array) -> None:
        """Raise TypeError: nothing is stored."""
        raise TypeError("the ends of pairs are fixed")

    def read(self, first: int, n_items: int) -> Int64Array:
        """Return ends [first, first + n_items)."""
        return np.arange(first + 1, first + n_items + 1, dtype=np.int64) * 2

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""
        self.n_items = n_items

    def close(self) -> None:
        """Drop all items."""
        self.n_items = 0


class PairSpool(Spool):
    """Pairs in memory, each a sentence of two tokens: an input and the output it predicts."""

    def __init__(
        self, word_ids: Int32Array, weights: Float32Array, context_counts: Int64Array
    ) -> None:
        """word_ids: (2 n_pairs,) int32.  weights: (n_pairs,) float32 > 0.

        context_counts: (n_words,) int64, the count of each word as an output.
        """
        ends = PairEnds(len(weights))
        every_nth = ends.read(0, len(weights))[::INDEX_STRIDE].copy()
        super().__init__(Columns(MemoryColumn(word_ids), ends), every_nth)
        self.weights, self.context_counts = weights, context_counts

    def chunks(self, chunk_tokens: int, margin_tokens: int) -> "PairTable":
        """Cut the pairs into chunks of `chunk_tokens`, an even number; margins are not needed."""
        if chunk_tokens % 2:
            raise UsageError(f"chunk_tokens must be even for pairs, got {chunk_tokens}")
        return PairTable(self, chunk_tokens)


class PairTable(ChunkTable):
    """The chunks of pairs, with their weights."""

    def __init__(self, spool: PairSpool, chunk_tokens: int) -> None:
        super().__init__(spool, chunk_tokens, 0)
        self._weights = spool.weights

    def read(self, i: int) -> ChunkData:
        """Return chunk i, counted from 0.  Raises IndexError past the last one."""
        chunk = super().read(i)
        begin = chunk.first_token // 2
        weights = self._weights[begin : begin + len(chunk.word_ids) // 2]
        return ChunkData(
            chunk.word_ids, chunk.first_token, chunk.sentence_ends, 0, chunk.centre_end, weights
        )
