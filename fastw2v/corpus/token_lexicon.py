"""Distinct tokens that are Python strings, and their counts."""

from array import array
from collections.abc import Iterable

import numpy as np

from fastw2v import _core
from fastw2v.base.memory import Int32Array, Int64Array


class _TokenIds(dict[object, int]):
    """From tokens to ids in order of first appearance; integers stand for their digits."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def __missing__(self, token: object) -> int:
        if isinstance(token, int | np.integer) and not isinstance(token, bool):
            self[token] = word_id = self[str(token)]
            return word_id
        if not isinstance(token, str):
            raise TypeError(f"a token must be a string or an integer, got {token!r}")
        self[str(token)] = word_id = len(self.words)
        self.words.append(str(token))
        return word_id


class TokenLexicon:
    """Words in order of first appearance; any characters, spaces and newlines included."""

    def __init__(self) -> None:
        self._ids = _TokenIds()
        self._counts = np.zeros(1024, np.int64)

    @property
    def n_words(self) -> int:
        """How many distinct words there are."""
        return len(self._ids.words)

    @property
    def counts(self) -> Int64Array:
        """(n_words,) int64, how often each word was counted."""
        return self._counts[: self.n_words]

    def append_ids(self, tokens: Iterable[object], to: "array[int]") -> None:
        """Append the ids of tokens to an array("i").  Raises TypeError for what is no token."""
        to.extend(map(self._ids.__getitem__, tokens))

    def count(self, word_ids: Int32Array) -> None:
        """Count ids that append_ids() gave."""
        if self.n_words > len(self._counts):
            larger = np.zeros(2 * self.n_words, np.int64)
            larger[: len(self._counts)] = self._counts
            self._counts = larger
        _core.count_ids(word_ids, self._counts)

    def decode(self, word_ids: Int64Array) -> list[str]:
        """Return the words of these ids."""
        words = self._ids.words
        return [words[i] for i in word_ids.tolist()]
