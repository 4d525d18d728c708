"""Distinct words of a text and their counts, in growing C tables."""

import operator
import os
import threading
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fastw2v import _core
from fastw2v.base.memory import Int32Array, Int64Array, fresh
from fastw2v.corpus.sources import Stopped
from fastw2v.corpus.tokenizers import MAX_LINE_BYTES, Tokenizer
from fastw2v.errors import CorpusError

Item = TypeVar("Item", bound=np.generic)

MAX_WORDS = 2**31 - 1  # word ids are int32
# One huge page of slots, enough for 131,072 words. Growing from 1,024 slots took a quarter of the
# time of two threads, which wait for each other's page faults.
INITIAL_SLOTS = 1 << 18
INITIAL_ARENA_BYTES = 1 << 20

HashKey = tuple[int, int]


def new_hash_key() -> HashKey:
    """Return a random key for WordTable and PairTable."""
    return int.from_bytes(os.urandom(8), "little"), int.from_bytes(os.urandom(8), "little") | 1


# Another one in each process: text made to collide under one key does not under another.
HASH_KEY = new_hash_key()


class Lexicon:
    """Words in order of first appearance; not thread-safe."""

    def __init__(
        self,
        n_slots: int = INITIAL_SLOTS,
        key: HashKey = HASH_KEY,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        """Start with a table of n_slots, a power of two; ids and counts do not depend on `key`.

        tokenizer: splits the text of encode(); None for white space.
        """
        self._key, self._tokenizer, self._tokens = key, tokenizer, bytearray()
        self.n_too_long = 0  # words of more than _core.MAX_WORD_BYTES, which are skipped
        self._offsets = np.zeros(1, np.int64)
        self._counts = np.empty(0, np.int64)
        self._arena = np.empty(0, np.uint8)
        self._n_slots = n_slots
        self._rebuild(0, INITIAL_ARENA_BYTES)
        self._word_ids = np.empty(0, np.int32)
        self._ends = np.empty(0, np.int64)

    @property
    def n_words(self) -> int:
        """The number of distinct words."""
        return self._table.n_words

    @property
    def n_slots(self) -> int:
        """The number of slots in the table."""
        return self._n_slots

    @property
    def counts(self) -> Int64Array:
        """(n_words,) int64, the count of each word; a view, valid until the table grows."""
        return self._counts[: self.n_words]

    def encode(self, text: bytes | bytearray | memoryview) -> tuple[Int32Array, Int64Array]:
        """Count and encode a block of text that begins and ends outside a word.

        Returns word_ids (n_tokens,) int32 and ends (n_ends,) int64, the number of tokens of this
        block before each sentence end. A first end of 0 closes the sentence left open by the
        previous block. Both are views, valid until the next call.
        """
        if self._tokenizer is not None:
            text = self._tokenizer.split(text, self._tokens)
        n_most = len(text) // 2 + 1 + _core.WORD_BATCH  # each token but the last takes two bytes
        if len(self._word_ids) < n_most:
            self._word_ids = fresh(n_most, np.int32)
            self._ends = fresh(n_most + 1, np.int64)
        out = _core.TokenBuffer(self._word_ids, self._ends)
        code, position = _core.encode_text(self._table, text, 0, out)
        while code != _core.DONE:
            self._grow(code)
            code, position = _core.encode_text(self._table, text, position, out)
        self.n_too_long += out.n_too_long
        return self._word_ids[: out.n_ids], self._ends[: out.n_ends]

    def merge(self, source: "Lexicon", first: int, last: int, new_ids: Int32Array) -> None:
        """Add words [first, last) of another lexicon; write their ids to new_ids[first:last]."""
        code, position = _core.merge_words(self._table, source._table, first, last, new_ids)
        while code != _core.DONE:
            self._grow(code)
            code, position = _core.merge_words(self._table, source._table, position, last, new_ids)

    def decode(self, word_ids: Int64Array) -> list[str]:
        """Return the words with these ids; bytes that are not UTF-8 become surrogate escapes."""
        return _core.decode_words(self._arena, self._offsets[: self.n_words + 1], word_ids)

    def _grow(self, code: int) -> None:
        n_arena_bytes = len(self._arena) - _core.ARENA_PADDING
        if code == _core.TABLE_FULL:
            if self.n_words > MAX_WORDS - _core.WORD_BATCH:
                raise CorpusError(f"the corpus has more than {MAX_WORDS} distinct words")
            self._n_slots *= 2
        elif code == _core.ARENA_FULL:
            n_arena_bytes *= 2
        else:
            raise AssertionError(f"the token buffer is too small (code {code})")
        self._rebuild(self.n_words, n_arena_bytes)

    def _rebuild(self, n_words: int, n_arena_bytes: int) -> None:
        """Move the words to arrays of the current size."""
        max_words = min(self._n_slots // _core.SLOTS_PER_WORD, MAX_WORDS)
        used = int(self._offsets[n_words])
        self._offsets = _resized(self._offsets, n_words + 1, max_words + 1)
        self._counts = _resized(self._counts, n_words, max_words)
        self._arena = _resized(self._arena, used, n_arena_bytes + _core.ARENA_PADDING)
        slots = fresh(self._n_slots, np.uint64)
        self._table = _core.WordTable(
            slots, self._offsets, self._counts, self._arena, self._key, n_words
        )


def _resized(array: npt.NDArray[Item], n_used: int, size: int) -> npt.NDArray[Item]:
    """Return an array of this size that starts with the first n_used items of the old one."""
    if len(array) == size:
        return array
    larger = fresh(size, array.dtype)
    larger[:n_used] = array[:n_used]
    return larger


def plain_token(token: object) -> str:
    """Return a token's characters, or the digits of an integer, as a plain string.

    A subclass of str, such as an Enum or a spaCy or NumPy string, may compare, hash and print
    itself in its own way, which does not count.  Raises TypeError for other types.
    """
    if isinstance(token, str):
        return str.__str__(token)
    if isinstance(token, int | np.integer) and not isinstance(token, bool):
        return str(operator.index(token))
    raise TypeError(f"a token must be a string or an integer, got {token!r}")


class _TokenIds(dict[object, int]):
    """Maps plain strings and integers to ids in order of first appearance."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def __missing__(self, token: str | int) -> int:
        if isinstance(token, int):
            self[token] = word_id = self[str(token)]
            return word_id
        self[token] = word_id = len(self.words)
        self.words.append(token)
        return word_id


class TokenLexicon:
    """Words in order of first appearance, with any characters, including spaces and newlines."""

    def __init__(self) -> None:
        self._ids = _TokenIds()
        self._counts = np.zeros(1024, np.int64)

    @property
    def n_words(self) -> int:
        """The number of distinct words."""
        return len(self._ids.words)

    @property
    def counts(self) -> Int64Array:
        """(n_words,) int64, the count of each word."""
        return self._counts[: self.n_words]

    def append_ids(self, tokens: Sequence[object], to: "array[int]") -> None:
        """Append the ids of tokens to an array("i").  Raises TypeError for invalid tokens."""
        plain = tokens if _core.are_plain(tokens) else map(plain_token, tokens)
        to.extend(map(self._ids.__getitem__, plain))

    def count(self, word_ids: Int32Array) -> None:
        """Count ids returned by append_ids()."""
        if self.n_words > len(self._counts):
            larger = np.zeros(2 * self.n_words, np.int64)
            larger[: len(self._counts)] = self._counts
            self._counts = larger
        _core.count_ids(word_ids, self._counts)

    def decode(self, word_ids: Int64Array) -> list[str]:
        """Return the words with these ids."""
        words = self._ids.words
        return [words[i] for i in word_ids.tolist()]


class LineLexicon(TokenLexicon):
    """Counts lines of text, which a tokenizer splits."""

    def __init__(self, tokenizer: Callable[[str], list[str]], stop: threading.Event) -> None:
        """tokenizer: function from a line without its newline to tokens.  stop: ends encode()."""
        super().__init__()
        self._tokenizer = tokenizer
        self._stop = stop

    def encode(self, text: bytes | memoryview) -> tuple[Int32Array, Int64Array]:
        """Count and encode a block of complete lines; see Lexicon.encode()."""
        ids = array("i")
        ends = [0]
        for line in bytes(text).split(b"\n"):
            if self._stop.is_set():
                raise Stopped
            if len(line) > MAX_LINE_BYTES:
                beginning = line[:20].decode("utf-8", "replace")
                raise CorpusError(
                    f"a line has more than {MAX_LINE_BYTES:,} bytes, too many for a tokenizer; "
                    f"it begins with {beginning!r}: put newlines between sentences"
                )
            if line:
                self._append_line(self._tokenizer(line.decode("utf-8", "surrogateescape")), ids)
            if len(ids) > ends[-1]:
                ends.append(len(ids))
        word_ids = np.frombuffer(ids, np.int32) if ids else np.empty(0, np.int32)
        self.count(word_ids)
        return word_ids, np.array(ends, np.int64)

    def _append_line(self, tokens: object, ids: "array[int]") -> None:
        if isinstance(tokens, str | bytes) or not isinstance(tokens, Iterable):
            kind = type(tokens).__name__
            raise CorpusError(f"the tokenizer must return a list of tokens, got a {kind}")
        tokens = list(tokens)
        try:
            self.append_ids(tokens, ids)
        except TypeError as error:
            raise CorpusError(f"the tokenizer returned {tokens!r:.80}: {error}") from error
