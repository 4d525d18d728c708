"""Replace words by phrases, and convert ids back to text."""

import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.memory import fresh
from fastw2v.corpus import Spool
from fastw2v.corpus.collocations.counting import PAIR, SLOTS_PER_PAIR, STRETCH_TOKENS, PairCounts
from fastw2v.corpus.collocations.scoring import FoundPhrase
from fastw2v.corpus.lexicon import HASH_KEY
from fastw2v.corpus.scan import ReadAhead
from fastw2v.corpus.spool import Columns, MemoryColumn, SpoolWriter

TEXT_BYTES = 1 << 20
MIN_SLOTS = 16
FILTER_BITS_PER_PAIR = 8  # 8 to 16 bits after rounding to a power of two: at most 2 bytes a pair


class Merger:
    """Replaces the words of each phrase by the phrase's own id.

    words: list of str; the texts of new phrases are appended to it and existing ids stay valid.
    """

    def __init__(self, words: list[str], found: Sequence[FoundPhrase], pairs: PairCounts) -> None:
        self.words = words
        ids = {word: i for i, word in enumerate(words)}
        values: dict[int, int] = {}
        for phrase in found:
            word_id = ids.setdefault(phrase.text, len(ids))
            if word_id == len(words):
                words.append(phrase.text)
            values[(phrase.start_id << _core.WORD_BITS | phrase.last) + 1] = word_id
            start_id = phrase.start_id
            while start_id >= _core.FIRST_LONG_START:
                key = int(pairs.long_keys[start_id - _core.FIRST_LONG_START])
                values[key] = start_id
                start_id = (key - 1) >> _core.WORD_BITS
        slots = np.zeros(int(SLOTS_PER_PAIR * len(values)) + MIN_SLOTS, PAIR)
        marks = np.zeros(1 << (len(values) * FILTER_BITS_PER_PAIR // 64).bit_length(), np.uint64)
        self._table = _core.PairTable(slots, np.empty(0, np.uint64), HASH_KEY, filter=marks)
        keys = np.fromiter(values, np.uint64, len(values))
        self._table.add(keys, np.fromiter(values.values(), np.int64, len(values)))

    def merge(
        self, spool: Spool, is_connector: NDArray[np.uint8], spool_limit_bytes: int
    ) -> tuple[Spool, int]:
        """Return the corpus with its phrases merged, and the number of phrases in it.

        is_connector: (n_words of the spool,) uint8.
        """
        columns = _room_for(spool) if spool.in_memory else None
        writer = SpoolWriter(spool_limit_bytes, columns)
        n_phrases = 0
        try:
            for merged in self._pieces(spool, is_connector):
                writer.append(merged.word_ids, merged.ends)
                n_phrases += merged.n_phrases
            return writer.finish(), n_phrases
        except BaseException:
            writer.close()
            raise

    def write(
        self, file: BinaryIO, spool: Spool, is_connector: NDArray[np.uint8], n_threads: int
    ) -> tuple[int, int]:
        """Write the merged corpus, one sentence per line, words separated by a space.

        n_threads: with two or more, one stretch is written while the next are merged.
        Returns the number of tokens written and the number of phrases among them.
        """
        text = _TextWriter(file, self.words)
        n_tokens = n_phrases = 0
        merged_pieces, stop = self._pieces(spool, is_connector), threading.Event()
        ahead = ReadAhead(merged_pieces, stop, "fastw2v-merge") if n_threads > 1 else None
        try:
            for merged in merged_pieces if ahead is None else ahead:
                n_tokens += len(merged.word_ids)
                n_phrases += merged.n_phrases
                text.write(merged)
        finally:
            stop.set()
            if ahead is not None:
                ahead.join()
        return n_tokens, n_phrases

    def _pieces(self, spool: Spool, is_connector: NDArray[np.uint8]) -> Iterator["_Merged"]:
        """Merge a corpus stretch by stretch."""
        first, n_tokens = 0, STRETCH_TOKENS
        while first < spool.n_tokens:
            last = min(first + n_tokens, spool.n_tokens)
            ids = spool.read_tokens(first, last - first)
            ends = spool.read_ends(first, last) - first
            tokens = _core.TokenStretch(ids, ends, is_connector)
            merged, merged_ends = np.empty_like(ids), np.empty_like(ends)
            n_ids, n_ends, n_found = self._table.merge(tokens, merged, merged_ends)
            yield _Merged(merged[:n_ids], merged_ends[:n_ends], n_found)
            first += tokens.position
            # The position stays 0 only if one unfinished phrase fills the whole stretch.
            n_tokens = STRETCH_TOKENS if tokens.position else 2 * n_tokens


class _Merged(NamedTuple):
    """Merged ids, sentence ends relative to the first id, and the number of phrases."""

    word_ids: NDArray[np.int32]
    ends: NDArray[np.int64]
    n_phrases: int


def _room_for(spool: Spool) -> Columns:
    """Return columns as large as a spool; growing them gradually took half of a merge's time."""
    word_ids, ends = fresh(spool.n_tokens, np.int32), fresh(spool.n_sentences, np.int64)
    return Columns(MemoryColumn(word_ids), MemoryColumn(ends))


class _TextWriter:
    """Converts ids to text."""

    def __init__(self, file: BinaryIO, words: Sequence[str]) -> None:
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        self._file = file
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        self._arena = np.frombuffer(b"".join(encoded), np.uint8)
        self._text = memoryview(bytearray(TEXT_BYTES + int(lengths.max(initial=0)) + 1))

    def write(self, merged: _Merged) -> None:
        """Write the words of a piece; a sentence may continue in the next piece."""
        tokens = _core.TokenStretch(merged.word_ids, merged.ends, np.empty(0, np.uint8))
        while tokens.position < len(merged.word_ids):
            n_bytes = _core.write_sentences(tokens, self._arena, self._offsets, self._text)
            self._file.write(self._text[:n_bytes])
