"""The words that are trained, most frequent first, and the rules that choose them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastw2v.base.checks import check_integer
from fastw2v.base.word_counts import read_word_counts, write_word_counts
from fastw2v.corpus.arrays import Int64Array
from fastw2v.errors import ModelFormatError, UsageError

# What a trim_rule may return: gensim's RULE_DEFAULT, RULE_DISCARD and RULE_KEEP.
DEFAULT, DISCARD, KEEP = 0, 1, 2

SENTENCE_END = "</s>"  # word2vec.c's mark, the first word of its files


class Vocabulary:
    """Words and counts; a word's position is its id.

    words: list of n_words str, distinct, any characters; bytes that are not UTF-8 are held as
    surrogate escapes.  counts: (n_words,) int64, read-only, >= 1.  In the order of falling
    count, then of first appearance; but for IdSentences with rows_by_id, where the order is that
    of the ids, and a count may be 0.  Raises UsageError if the lengths differ.
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
        write_word_counts(path, self.words, self.counts.tolist())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Vocabulary":
        """Read `word count` lines, as save() and word2vec.c write them.

        The file's order is kept, unless counts rise somewhere: then it is sorted by count.  A
        line `</s> 0`, with which word2vec.c's files begin, is left out.
        Raises ReadError if the file cannot be read, ModelFormatError if it is malformed.
        """
        counts = read_word_counts(path)
        if counts.get(SENTENCE_END) == 0:
            del counts[SENTENCE_END]
        unseen = next((word for word, count in counts.items() if count == 0), None)
        if unseen is not None:
            raise ModelFormatError(f"{os.fspath(path)}: {unseen!r} has a count of 0")
        return _in_order(counts)


@dataclass(frozen=True)
class VocabularyRules:
    """Which words are kept.

    min_count: int >= 0, words seen less often are dropped.  max_final_vocab: int >= 1 or None,
    raises min_count until at most that many words are left (gensim's meaning).
    trim_rule: called with each word, its count and the min_count in effect; returns 0 for the
    rules above, 1 to drop the word, 2 to keep it.  base: a vocabulary all of whose words are
    kept; its counts are added to those of the corpus, and the rules are for the other words.
    is_sorted: by falling count, else in the order of first appearance.
    Raises UsageError if a value is impossible.
    """

    min_count: int = 5
    max_final_vocab: int | None = None
    trim_rule: Callable[[str, int, int], object] | None = None
    base: Vocabulary | None = None
    is_sorted: bool = True

    def __post_init__(self) -> None:
        check_integer("min_count", self.min_count, 0)
        if self.max_final_vocab is not None:
            check_integer("max_final_vocab", self.max_final_vocab, 1)
        if self.trim_rule is not None and not callable(self.trim_rule):
            raise UsageError(f"trim_rule must be a function or None, got {self.trim_rule!r}")

    def effective_min_count(self, counts: Int64Array) -> int:
        """Return the least count that is kept.  counts: (n_words,) int64."""
        if self.max_final_vocab is None or self.max_final_vocab >= len(counts):
            return self.min_count
        rank = len(counts) - 1 - self.max_final_vocab
        return max(self.min_count, int(np.partition(counts, rank)[rank]) + 1)


def check_trim_answer(word: str, answer: object) -> bool | None:
    """Return whether the word stays, None if the other rules are to say; or raise UsageError."""
    if answer is None or answer == DEFAULT:
        return None
    if answer not in (DISCARD, KEEP):
        raise UsageError(
            f"trim_rule must return 0 (default), 1 (discard) or 2 (keep), got {answer!r} "
            f"for {word!r}"
        )
    return answer == KEEP


def _in_order(counts: dict[str, int]) -> Vocabulary:
    words, values = list(counts), np.fromiter(counts.values(), np.int64, len(counts))
    if np.any(np.diff(values) > 0):
        order = np.argsort(-values, kind="stable")
        words, values = [words[i] for i in order], values[order]
    return Vocabulary(words, values)
