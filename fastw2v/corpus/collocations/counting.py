"""Count adjacent words in growing C tables, one per thread."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.memory import fresh
from fastw2v.base.threads import run_threads
from fastw2v.corpus import Spool
from fastw2v.corpus.lexicon import HASH_KEY

PAIR = np.dtype([("key", np.uint64), ("value", np.int64)])
STRETCH_TOKENS = 1 << 17  # ids passed to C at a time: 512 KiB, which fits L2
INITIAL_SLOTS = 1 << 14
INITIAL_LONG = 1 << 10
TOKENS_PER_SLOT = 16  # of an initial table; 100 MB of English needed 2
SLOTS_PER_PAIR = 1.5  # of a table that has grown; a table is full at 1 / 0.7
# n tokens contain about n ** PAIRS_EXPONENT distinct pairs; measured 0.84 for English.
PAIRS_EXPONENT = 0.85
WAIT_SECONDS = 0.2  # between checks whether the threads have ended
WORD_BITS = np.uint64(_core.WORD_BITS)
WORD_MASK = np.uint64((1 << _core.WORD_BITS) - 1)
# Lower bound of the keys whose inner start is long.
FIRST_LONG_KEY = np.uint64(_core.FIRST_LONG_START << _core.WORD_BITS)

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class PairCounts:
    """The pairs that reach a minimum count.

    A start is a word, or a word followed by connectors.

    n_different: number of distinct pairs of any count.
    starts: (n_pairs,) uint64, a word id, or FIRST_LONG_START plus an index into long_keys.
    words: (n_pairs,) int64, ids of the last words of the pairs.
    counts: (n_pairs,) int64.
    long_keys: (n_long,) uint64, one per start that is longer than a word:
    (start << 31 | connector id) + 1, where the inner start comes earlier.
    """

    n_different: int
    starts: NDArray[np.uint64]
    words: NDArray[np.int64]
    counts: NDArray[np.int64]
    long_keys: NDArray[np.uint64]

    def first_words(self, starts: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the (n_starts,) int64 id of the first word of each start."""
        first: NDArray[np.uint64] = starts.copy()
        while (is_long := first >= _core.FIRST_LONG_START).any():
            keys = self.long_keys[first[is_long] - np.uint64(_core.FIRST_LONG_START)]
            first[is_long] = (keys - np.uint64(1)) >> WORD_BITS
        return np.asarray(first, np.int64)

    def word_ids(self, start_id: int) -> list[int]:
        """Return the word ids of a start, including connectors."""
        ids = []
        while start_id >= _core.FIRST_LONG_START:
            key = int(self.long_keys[start_id - _core.FIRST_LONG_START]) - 1
            ids.append(key & int(WORD_MASK))
            start_id = key >> _core.WORD_BITS
        return [start_id, *ids[::-1]]


def token_stretches(spool: Spool, new_ids: Ids | None = None) -> Iterator[tuple[Ids, Any]]:
    """Yield the ids of a corpus in stretches, with sentence ends relative to each stretch.

    new_ids: (n_words,) int32, replacement for each id; None to keep the ids.
    """
    for first in range(0, spool.n_tokens, STRETCH_TOKENS):
        last = min(first + STRETCH_TOKENS, spool.n_tokens)
        ids = spool.read_tokens(first, last - first)
        yield ids if new_ids is None else new_ids[ids], spool.read_ends(first, last) - first


class PairCounter:
    """Counts the pairs of any number of corpora over the same word ids.

    Each thread reads all ids but counts only its share of the pairs, selected by hash: by the
    hash of the pair or, if the start contains connectors, by that of its first word. No table is
    shared and none must be merged. Only the order of the result depends on the number of threads
    and on the process's HASH_KEY.
    """

    def __init__(self, n_threads: int) -> None:
        self._tables = [_GrowingTable() for _ in range(n_threads)]

    def count(
        self, spool: Spool, is_connector: NDArray[np.uint8], new_ids: Ids | None = None
    ) -> None:
        """Count the pairs of a corpus.

        is_connector: (n_words,) uint8, 1 for words allowed only inside a phrase.
        new_ids: (n_words of the spool,) int32, maps the spool's ids to those of this counter.
        """
        stop = threading.Event()
        n_shares = len(self._tables)
        for table in self._tables:
            table.make_room(spool.n_tokens // (TOKENS_PER_SLOT * n_shares))
        text = _Text(spool, new_ids, is_connector)
        bodies = [
            partial(table.count_all, text, (i, n_shares), stop)
            for i, table in enumerate(self._tables)
        ]
        run_threads(bodies, stop, lambda: None, WAIT_SECONDS, "fastw2v-pairs")

    def result(self, is_connector: NDArray[np.uint8], least: int = 1) -> PairCounts:
        """Return the pairs with a count of at least `least`."""
        n_long = np.array([table.n_long for table in self._tables])
        n_pairs = np.array([table.n_used for table in self._tables]) - n_long
        first_long = np.cumsum(n_long) - n_long
        first_free = np.cumsum(n_pairs) - n_pairs
        room = [fresh(int(n_pairs.sum()), dtype) for dtype in (np.uint64, np.int64, np.int64)]

        parts: list[list[NDArray[Any]]] = [[] for _ in self._tables]

        def select(i: int) -> None:
            part = [column[first_free[i] : first_free[i] + n_pairs[i]] for column in room]
            n_found = self._tables[i].select(is_connector, part, least, int(first_long[i]))
            parts[i] = [column[:n_found] for column in part]

        bodies = [partial(select, i) for i in range(len(parts))]
        run_threads(bodies, threading.Event(), lambda: None, WAIT_SECONDS, "fastw2v-pairs")
        if sum(len(part[0]) for part in parts) < len(room[0]):
            room = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
        starts, words, counts = room
        return PairCounts(int(n_pairs.sum()), starts, words, counts, self._long_keys(first_long))

    def _long_keys(self, first_long: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the keys of all starts longer than a word, numbered across the tables."""
        every = []
        for table, first in zip(self._tables, first_long, strict=True):
            keys = table.long_keys()
            keys[keys > FIRST_LONG_KEY] += np.uint64(first) << WORD_BITS
            every.append(keys)
        return np.concatenate(every)


@dataclass(frozen=True)
class _Text:
    """A corpus to count, with (n_words,) int32 replacement ids and (n_words,) uint8 flags."""

    spool: Spool
    new_ids: Ids | None
    is_connector: NDArray[np.uint8]


class _GrowingTable:
    """The pairs of one thread."""

    def __init__(self) -> None:
        self._slots = np.zeros(INITIAL_SLOTS, PAIR)
        self._long_keys = np.zeros(INITIAL_LONG, np.uint64)
        self._table = _core.PairTable(self._slots, self._long_keys, HASH_KEY)

    def make_room(self, n_slots: int) -> None:
        """Grow to at least n_slots."""
        if len(self._slots) < n_slots:
            self._resize(n_slots)

    @property
    def n_used(self) -> int:
        """The number of pairs and long starts."""
        return self._table.n_used

    @property
    def n_long(self) -> int:
        """The number of starts longer than a word."""
        return self._table.n_long

    def select(
        self, is_connector: NDArray[np.uint8], columns: list[NDArray[Any]], least: int, first: int
    ) -> int:
        """Write the pairs with a count >= least to the columns; return their number."""
        starts, words, counts = columns
        return self._table.select(is_connector, starts, words, counts, least, first)

    def long_keys(self) -> NDArray[np.uint64]:
        """Return the keys of the starts longer than a word."""
        return np.array(self._long_keys[: self._table.n_long])

    def count_all(self, text: _Text, share: tuple[int, int], stop: threading.Event) -> None:
        """Count one share of a corpus's pairs; share: (index, number of shares)."""
        open_start, n_done, n_before = -1, 0, self.n_used
        for ids, ends in token_stretches(text.spool, text.new_ids):
            if stop.is_set():
                return
            tokens = _core.TokenStretch(ids, ends, text.is_connector, open_start)
            while (code := self._table.count(tokens, *share)) != _core.PAIRS_DONE:
                n_times = text.spool.n_tokens / max(1, n_done + tokens.position)
                self._grow(code, (self.n_used - n_before) * n_times**PAIRS_EXPONENT + n_before)
            open_start = tokens.start
            n_done += len(ids)

    def _grow(self, code: int, n_pairs: float) -> None:
        """Grow the part that is full; n_pairs: predicted number of pairs in the whole corpus."""
        if code == _core.PAIRS_FULL:
            self._resize(max(5 * len(self._slots) // 4, int(SLOTS_PER_PAIR * n_pairs)))
        else:
            n_long = self._table.n_long
            larger = np.zeros(2 * len(self._long_keys), np.uint64)
            larger[:n_long] = self._long_keys[:n_long]
            self._long_keys = larger
            self._table.use_long_keys(larger)

    def _resize(self, n_slots: int) -> None:
        self._slots = fresh(n_slots, PAIR)
        n_long = self._table.n_long
        self._table = _core.PairTable(self._slots, self._long_keys, HASH_KEY, n_long, self._table)
