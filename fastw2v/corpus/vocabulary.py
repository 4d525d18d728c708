"""The words that are trained, most frequent first, and the rules that choose them."""

import operator
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v.corpus.arrays import Int64Array
from fastw2v.errors import ModelFormatError, ReadError, SaveError, UsageError


class Vocabulary:
    """Words and counts; a word's position is its id.

    words: list of n_words str, distinct, any characters; bytes that are not UTF-8 are held as
    surrogate escapes.  counts: (n_words,) int64, read-only, >= 1.  In the order of falling
    count, then of first appearance.  Raises UsageError if the lengths differ.
    """

    def __init__(self, words: list[str], counts: npt.ArrayLike) -> None:
        view = np.asarray(counts, dtype=np.int64).view()
        if view.shape != (len(words),):
            raise UsageError(f"counts must have shape ({len(words)},), got {view.shape}")
        view.flags.writeable = False
        self.words = words
        self.counts: Int64Array = view

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    @cached_property
    def index(self) -> dict[str, int]:
        """Each word's id; made at the first use."""
        return {word: i for i, word in enumerate(self.words)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one `word count` line a word; the file appears whole or not at all.

        Raises SaveError if it cannot be written, or a word is empty or holds a newline.
        """
        target = Path(path)
        text = b"".join(
            _encoded(word, target) + b" %d\n" % count
            for word, count in zip(self.words, self.counts.tolist(), strict=True)
        )
        try:
            _replace_file(target, text)
        except OSError as error:
            raise SaveError(f"cannot write {target}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Vocabulary":
        """Read `word count` lines, as save() and word2vec.c write them.

        The file's order is kept, unless counts rise somewhere: then it is sorted by count.  A
        first line `</s> 0`, word2vec.c's mark for the end of a sentence, is left out.
        Raises ReadError if the file cannot be read, ModelFormatError if it is malformed.
        """
        try:
            lines = Path(path).read_bytes().split(b"\n")
        except OSError as error:
            raise ReadError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
        if lines[-1] == b"":
            lines.pop()
        first = 1 if lines and lines[0].split() == [b"</s>", b"0"] else 0
        counts: dict[str, int] = {}
        for number, line in enumerate(lines[first:], first + 1):
            word, count = _parsed(line, f"{os.fspath(path)}, line {number}")
            if word in counts:
                raise ModelFormatError(f"{os.fspath(path)}, line {number}: {word!r} stands twice")
            counts[word] = count
        return _in_order(counts)


@dataclass(frozen=True)
class VocabularyRules:
    """Which words are kept.

    min_count: int >= 0, words seen less often are dropped.  max_final_vocab: int >= 1 or None,
    raises min_count until at most that many words are left (gensim's meaning).
    Raises UsageError if a value is impossible.
    """

    min_count: int = 5
    max_final_vocab: int | None = None

    def __post_init__(self) -> None:
        _check_at_least("min_count", self.min_count, 0)
        if self.max_final_vocab is not None:
            _check_at_least("max_final_vocab", self.max_final_vocab, 1)

    def effective_min_count(self, falling_counts: Int64Array) -> int:
        """Return the least count that is kept.  falling_counts: (n_words,) int64, descending."""
        if self.max_final_vocab is None or self.max_final_vocab >= len(falling_counts):
            return self.min_count
        return max(self.min_count, int(falling_counts[self.max_final_vocab]) + 1)


def _check_at_least(name: str, value: Any, least: int) -> None:
    try:
        valid = not isinstance(value, bool) and operator.index(value) >= least
    except TypeError:
        valid = False
    if not valid:
        raise UsageError(f"{name} must be an integer of at least {least}, got {value!r}")


def _encoded(word: str, target: Path) -> bytes:
    """Return the bytes of a word that can stand in a line of its own."""
    if not word or "\n" in word:
        raise SaveError(f"cannot write {target}: a line cannot hold the word {word!r}")
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise SaveError(f"cannot write {target}: {word!r} is not valid Unicode") from error


def _parsed(line: bytes, place: str) -> tuple[str, int]:
    """Return word and count of a line; the word may hold spaces, the count may follow a tab."""
    word, separator, count = line.rpartition(b" ")
    if not separator:
        word, separator, count = line.rpartition(b"\t")
    count = count.rstrip(b"\r")
    n = int(count) if count.isdigit() and len(count) < 20 else 0
    if not word or not 1 <= n < 2**63:
        shown = line.decode("utf-8", "replace")
        raise ModelFormatError(f"{place}: expected a word and its count >= 1, got {shown!r}")
    return word.decode("utf-8", "surrogateescape"), n


def _in_order(counts: dict[str, int]) -> Vocabulary:
    words, values = list(counts), np.fromiter(counts.values(), np.int64, len(counts))
    if np.any(np.diff(values) > 0):
        order = np.argsort(-values, kind="stable")
        words, values = [words[i] for i in order], values[order]
    return Vocabulary(words, values)


def _replace_file(target: Path, content: bytes) -> None:
    """Write to a temporary name in the same folder, flush to disk, rename.

    A link is followed; a pipe or a device is written to, since a rename would put a file there.
    """
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    target = target.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
