"""Counting which words follow each other, in C tables that grow, a share of them a thread."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.corpus import Spool
from fastw2v.corpus.arrays import fresh

PAIR = np.dtype([("key", np.uint64), ("value", np.int64)])
STRETCH_TOKENS = 1 << 17  # ids handed to C at a time: half a megabyte, in L2
INITIAL_SLOTS = 1 << 14
INITIAL_LONG = 1 << 10
TOKENS_PER_SLOT = 8  # of a table to begin with; 100 MB of English needed 2
WORD_BITS = np.uint64(31)
WORD_MASK = np.uint64((1 << 31) - 1)

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class PairCounts:
    """The pairs that were seen so often or more.

    n_different: how many there are of any count.
    starts: (n_pairs,) uint64, a word id, or FIRST_LONG_START plus a place in long_keys.
    words: (n_pairs,) int64 ids of the words that end the pairs.  counts: (n_pairs,) int64.
    long_keys: (n_long,) uint64, (start << 31 | connector id) + 1 of each start that is longer
    than a word; the start in it comes earlier.
    """

    n_different: int
    starts: NDArray[np.uint64]
    words: NDArray[np.int64]
    counts: NDArray[np.int64]
    long_keys: NDArray[np.uint64]

    def first_words(self, starts: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the id of the word that each start begins with."""
        first: NDArray[np.uint64] = starts.copy()
        while (is_long := first >= _core.FIRST_LONG_START).any():
            keys = self.long_keys[first[is_long] - np.uint64(_core.FIRST_LONG_START)]
            first[is_long] = (keys - np.uint64(1)) >> WORD_BITS
        return np.asarray(first, np.int64)

    def word_ids(self, start: int) -> list[int]:
        """Return the word ids of a start, the connectors included."""
        ids = []
        while start >= _core.FIRST_LONG_START:
            key = int(self.long_keys[start - _core.FIRST_LONG_START]) - 1
            ids.append(key & int(WORD_MASK))
            start = key >> 31
        return [start, *ids[::-1]]


def stretches(spool: Spool, new_ids: Ids | None = None) -> Iterator[tuple[Ids, Any]]:
    """Yield the ids of a corpus in stretches, with the sentence ends counted from their starts.

    new_ids: (n_words,) int32 to replace them by.
    """
    for first in range(0, spool.n_tokens, STRETCH_TOKENS):
        last = min(first + STRETCH_TOKENS, spool.n_tokens)
        ids = spool.read_tokens(first, last - first)
        yield ids if new_ids is None else new_ids[ids], spool.read_ends(first, last) - first


class PairCounter:
    """Counts the pairs of any number of corpora over the same word ids.

    Each thread goes through all ids and counts the pairs whose hash is its own: no table is
    shared and none need be merged, and the result does not depend on the number of threads.
    """

    def __init__(self, n_threads: int) -> None:
        self._tables = [_GrowingTable() for _ in range(n_threads)]

    def count(
        self, spool: Spool, is_connector: NDArray[np.uint8], new_ids: Ids | None = None
    ) -> None:
        """Count the pairs of a corpus.

        is_connector: (n_words,) uint8, whether a word may stand inside a phrase only.
        new_ids: (n_words of the spool,) int32, from its ids to these.
        """
        stop = threading.Event()
        n_shares = len(self._tables)
        for table in self._tables:
            table.make_room(spool.n_tokens // (TOKENS_PER_SLOT * n_shares))
        with ThreadPoolExecutor(n_shares, "fastw2v-pairs") as pool:
            running = [
                pool.submit(
                    table.count_all, stretches(spool, new_ids), is_connector, (i, n_shares), stop
                )
                for i, table in enumerate(self._tables)
            ]
            try:
                for future in running:
                    future.result()
            finally:
                stop.set()

    def result(self, is_connector: NDArray[np.uint8], least: int = 1) -> PairCounts:
        """Return the pairs that were seen at least so often."""
        n_used = sum(table.n_used for table in self._tables)
        keys, counts = fresh(n_used, np.uint64), fresh(n_used, np.int64)
        n_found = 0
        for table in self._tables:
            n_found += table.select(is_connector, least, keys[n_found:], counts[n_found:])
        # In place: to touch new memory took three quarters of the time of six million pairs.
        keys = keys[:n_found]
        keys -= np.uint64(1)
        starts = keys >> WORD_BITS
        keys &= WORD_MASK
        long_keys = self._tables[0].long_keys()
        return PairCounts(
            n_different=n_used - len(self._tables) * len(long_keys),
            starts=starts,
            words=keys.view(np.int64),
            counts=counts[:n_found],
            long_keys=long_keys,
        )


class _GrowingTable:
    """One thread's pairs."""

    def __init__(self) -> None:
        self._slots = np.zeros(INITIAL_SLOTS, PAIR)
        self._long_keys = np.zeros(INITIAL_LONG, np.uint64)
        self._table = _core.PairTable(self._slots, self._long_keys)

    def make_room(self, n_slots: int) -> None:
        """Grow to so many slots at least."""
        if len(self._slots) < n_slots:
            self._resize(1 << (n_slots - 1).bit_length())

    @property
    def n_used(self) -> int:
        """How many pairs and long starts there are."""
        return self._table.n_used

    def select(
        self,
        is_connector: NDArray[np.uint8],
        least: int,
        keys: NDArray[np.uint64],
        counts: NDArray[np.int64],
    ) -> int:
        """Put the pairs seen at least so often first in (n_used,) or more; return how many."""
        n = self.n_used
        return self._table.select(is_connector, least, keys[:n], counts[:n])

    def long_keys(self) -> NDArray[np.uint64]:
        """Return the keys of the starts that are longer than a word."""
        return np.array(self._long_keys[: self._table.n_long])

    def count_all(
        self,
        stretches: Iterator[tuple[Ids, Any]],
        is_connector: NDArray[np.uint8],
        share: tuple[int, int],
        stop: threading.Event,
    ) -> None:
        """Count one share of the pairs of a corpus: (which, of how many)."""
        start = -1
        for ids, ends in stretches:
            if stop.is_set():
                return
            stretch = _core.Stretch(ids, ends, is_connector, start)
            while (code := self._table.count(stretch, *share)) != _core.PAIRS_DONE:
                self._grow(code)
            start = stretch.start

    def _grow(self, code: int) -> None:
        if code == _core.PAIRS_FULL:
            self._resize(2 * len(self._slots))
        else:
            n_long = self._table.n_long
            larger = np.zeros(2 * len(self._long_keys), np.uint64)
            larger[:n_long] = self._long_keys[:n_long]
            self._long_keys = larger
            self._table.use_long_keys(larger)

    def _resize(self, n_slots: int) -> None:
        self._slots = fresh(n_slots, PAIR)
        n_long = self._table.n_long
        self._table = _core.PairTable(self._slots, self._long_keys, n_long, self._table)
