"""Putting phrases in the place of their words, and ids back into text."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.collocations.counting import INITIAL_SLOTS, PAIR, STRETCH_TOKENS, PairCounts, stretches
from fastw2v.collocations.scoring import FoundPhrase
from fastw2v.corpus import Spool
from fastw2v.corpus.arrays import fresh
from fastw2v.corpus.columns import MemoryColumn
from fastw2v.corpus.spool import Columns, SpoolWriter

TEXT_BYTES = 1 << 20


class Merger:
    """Replaces phrases by ids of their own.

    words: afterwards with the texts that are new appended, so that ids before stay as they are.
    """

    def __init__(self, words: list[str], found: Sequence[FoundPhrase], pairs: PairCounts) -> None:
        self.words = words
        ids = {word: i for i, word in enumerate(words)}
        values: dict[int, int] = {}
        for phrase in found:
            word_id = ids.setdefault(phrase.text, len(ids))
            if word_id == len(words):
                words.append(phrase.text)
            values[(phrase.start << 31 | phrase.last) + 1] = word_id
            start = phrase.start
            while start >= _core.FIRST_LONG_START:
                key = int(pairs.long_keys[start - _core.FIRST_LONG_START])
                values[key] = start
                start = (key - 1) >> 31
        n_slots = INITIAL_SLOTS
        while n_slots < 2 * len(values):
            n_slots *= 2
        self._table = _core.PairTable(np.zeros(n_slots, PAIR), np.empty(0, np.uint64))
        keys = np.fromiter(values, np.uint64, len(values))
        self._table.add(keys, np.fromiter(values.values(), np.int64, len(values)))

    def merge(
        self, spool: Spool, is_connector: NDArray[np.uint8], spool_limit_bytes: int
    ) -> tuple[Spool, int]:
        """Return the corpus with phrases for their words, and how many phrases stand in it.

        is_connector: (n_words of the spool,) uint8.
        """
        columns = _room_for(spool) if spool.in_memory else None
        writer = SpoolWriter(spool_limit_bytes, columns)
        n_phrases = first = 0
        n_tokens = STRETCH_TOKENS
        try:
            while first < spool.n_tokens:
                last = min(first + n_tokens, spool.n_tokens)
                ids = spool.read_tokens(first, last - first)
                ends = spool.read_ends(first, last) - first
                stretch = _core.Stretch(ids, ends, is_connector)
                merged, merged_ends = np.empty_like(ids), np.empty_like(ends)
                n_ids, n_ends, n_found = self._table.merge(stretch, merged, merged_ends)
                writer.append(merged[:n_ids], merged_ends[:n_ends])
                n_phrases += n_found
                first += stretch.position
                # nothing is done only where one unfinished phrase fills the stretch
                n_tokens = STRETCH_TOKENS if stretch.position else 2 * n_tokens
            return writer.finish(), n_phrases
        except BaseException:
            writer.close()
            raise


def _room_for(spool: Spool) -> Columns:
    """Return columns as large as a spool: to grow them on the way took half of a merge."""
    word_ids, ends = fresh(spool.n_tokens, np.int32), fresh(spool.n_sentences, np.int64)
    return Columns(MemoryColumn(word_ids), MemoryColumn(ends))


def write_text(file: BinaryIO, spool: Spool, words: Sequence[str]) -> None:
    """Write one sentence a line, a space between words."""
    encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    lengths = [len(word) for word in encoded]
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    arena = np.frombuffer(b"".join(encoded), np.uint8)
    text = memoryview(bytearray(TEXT_BYTES + max(lengths, default=0) + 1))
    no_connector = np.empty(0, np.uint8)
    for ids, ends in stretches(spool):
        stretch = _core.Stretch(ids, ends, no_connector)
        while stretch.position < len(ids):
            file.write(text[: _core.write_sentences(stretch, arena, offsets, text)])
