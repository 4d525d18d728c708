"""The vocabulary, most frequent words first, and the rules that choose it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastw2v.base.checks import check_function, check_integer, shown
from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.base.tables import N_WORDS, few_words, html_table, shortened
from fastw2v.base.word_counts import read_word_counts, write_word_counts
from fastw2v.corpus.lexicon import plain_token
from fastw2v.errors import CorpusError, ModelFormatError, UsageError

# Return values of a trim_rule: gensim's RULE_DEFAULT, RULE_DISCARD and RULE_KEEP.
DEFAULT, DISCARD, KEEP = 0, 1, 2

SENTENCE_END = "</s>"  # word2vec.c's sentence end, the first word in its files


class Vocabulary:
    """Words and counts; a word's position is its id.

    Words are in order of decreasing count, then of first appearance. For IdSentences with
    rows_by_id they are in the order of the ids, and counts may be 0.

    words: list of n_words distinct str, any characters; bytes that are not UTF-8 are surrogate
    escapes.
    counts: (n_words,) int64, >= 1; the attribute is read-only.
    Raises UsageError if the lengths differ.
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

    def __repr__(self) -> str:
        words = few_words(self.words)
        return f"Vocabulary<{len(self):,} words, {int(self.counts.sum()):,} tokens: {words}>"

    def _repr_html_(self) -> str:
        title = f"Vocabulary of {len(self):,} words, {int(self.counts.sum()):,} tokens"
        words = map(shortened, self.words[:N_WORDS])
        first = zip(words, self.counts[:N_WORDS].tolist(), strict=True)
        return html_table(title, first, ("word", "count"))

    @cached_property
    def index(self) -> dict[str, int]:
        """Dict from word to id, built on first access."""
        return {word: i for i, word in enumerate(self.words)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one line `word count` per word, atomically.

        Raises SaveError if the file cannot be written, or a word is empty or contains a newline.
        """
        write_word_counts(path, self.words, self.counts.tolist())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Vocabulary":
        """Read lines `word count`, as written by save() and word2vec.c.

        Words keep the order of the file if its counts never increase; otherwise they are sorted
        by count. The line `</s> 0` at the start of word2vec.c's files is skipped.
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
    """The rules that choose the vocabulary.

    min_count: int >= 0; words with a lower count are dropped.
    max_final_vocab: int >= 1 or None; raises min_count until at most this many words are left,
    as in gensim.
    trim_rule: function of a word, its count and the effective min_count. It returns 0 or None to
    apply the rules above, 1 to drop the word, or 2 to keep it.
    base: vocabulary whose words are all kept. Its counts are added to those of the corpus; the
    rules apply to the other words.
    is_sorted: sort by decreasing count instead of order of first appearance.
    Raises UsageError if a value is invalid.
    """

    min_count: int = 5
    max_final_vocab: int | None = None
    trim_rule: Callable[[str, int, int], object] | None = None
    base: Vocabulary | None = None
    is_sorted: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "min_count", check_integer("min_count", self.min_count, 0))
        if self.max_final_vocab is not None:
            most = check_integer("max_final_vocab", self.max_final_vocab, 1)
            object.__setattr__(self, "max_final_vocab", most)
        check_function("trim_rule", self.trim_rule)

    def effective_min_count(self, counts: Int64Array) -> int:
        """Return the lowest count that is kept.  counts: (n_words,) int64."""
        if self.max_final_vocab is None or self.max_final_vocab >= len(counts):
            return self.min_count
        rank = len(counts) - 1 - self.max_final_vocab
        return max(self.min_count, int(np.partition(counts, rank)[rank]) + 1)


def check_trim_answer(word: str, answer: object) -> bool | None:
    """Return whether trim_rule keeps the word, None to apply the other rules.

    Raises UsageError for any other answer.
    """
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


class WordCounts(Protocol):
    """Distinct words in order of first appearance."""

    @property
    def name(self) -> str:
        """The name of their source in errors."""

    @property
    def counts(self) -> Int64Array:
        """(n_words,) int64, the count of each word."""

    @property
    def decode(self) -> Callable[[Int64Array], list[str]]:
        """Function that returns the words at the given positions."""


class CountedWords(NamedTuple):
    """A WordCounts made of arrays."""

    name: str
    counts: Int64Array
    decode: Callable[[Int64Array], list[str]]


class ChosenWords(NamedTuple):
    """The words kept.  final_ids: (n_words,) int32, -1 for dropped words."""

    vocabulary: Vocabulary
    final_ids: Int32Array
    min_count: int

    @property
    def n_kept(self) -> int:
        """The number of distinct words kept."""
        return int(np.count_nonzero(self.final_ids >= 0))


def choose_words(
    counted: WordCounts, rules: VocabularyRules, vocabulary: Vocabulary | None
) -> ChosenWords:
    """Keep the words that the rules keep, or those of a given vocabulary.

    Raises CorpusError if no word is kept.
    """
    return choose(counted, rules) if vocabulary is None else match(counted, vocabulary)


def choose(counted: WordCounts, rules: VocabularyRules) -> ChosenWords:
    """Keep the words that the rules keep, in their order; equal counts by first appearance.

    Raises CorpusError if no word is kept.
    """
    counts = counted.counts
    min_count = rules.effective_min_count(counts)
    is_chosen = counts >= min_count
    if rules.trim_rule is not None:
        is_chosen = _trimmed(counted, rules.trim_rule, min_count, is_chosen)
    if rules.base is not None:
        return _joined(counted, rules, is_chosen, min_count)
    chosen = np.flatnonzero(is_chosen)
    if not len(chosen):
        raise _nothing_kept(counted, rules)
    if rules.is_sorted:
        chosen = chosen[np.argsort(-counts[chosen], kind="stable")]
    final_ids = np.full(len(counts), -1, np.int32)
    final_ids[chosen] = np.arange(len(chosen), dtype=np.int32)
    words = counted.decode(chosen)
    return ChosenWords(Vocabulary(words, counted.counts[chosen]), final_ids, min_count)


def match(counted: WordCounts, vocabulary: Vocabulary) -> ChosenWords:
    """Keep the words of a given vocabulary; raise CorpusError if none of them occurs."""
    final_ids = _places(counted.decode(np.arange(len(counted.counts))), vocabulary)
    if not (final_ids >= 0).any():
        raise CorpusError(
            f"none of the {len(final_ids)} distinct words of {counted.name} "
            f"is in the given vocabulary of {len(vocabulary)} words"
        )
    return ChosenWords(vocabulary, final_ids, 0)


@dataclass(frozen=True)
class _Frequencies:
    """The words and counts of a mapping."""

    words: list[str]
    counts: Int64Array
    name: str = "word_freq"

    def decode(self, word_ids: Int64Array) -> list[str]:
        """Return the words at these positions."""
        return [self.words[i] for i in word_ids.tolist()]


def choose_from(word_freq: Mapping[Any, int], rules: VocabularyRules) -> Vocabulary:
    """Return the vocabulary that the rules choose from words and counts.

    word_freq: mapping from word to count >= 0. A word is a string, or an integer that is
    converted to its decimal digits; counts of the same word, such as 1 and "1", are added. Words
    with a count of 0 are left out.
    Raises UsageError for other words or counts, CorpusError if no word is kept.
    """
    if not isinstance(word_freq, Mapping):
        raise UsageError(f"word_freq must map words to counts, got {shown(word_freq)}")
    seen: dict[str, int] = {}
    for word, count in word_freq.items():
        try:
            text = plain_token(word)
        except TypeError:
            raise UsageError(f"a word must be a string or an integer, got {word!r}") from None
        check_integer(f"the count of {word!r}", count, 0, most=2**63 - 1)
        if count:
            seen[text] = seen.get(text, 0) + int(count)
            check_integer(f"the count of {word!r}", seen[text], 0, most=2**63 - 1)
    if not seen:
        raise CorpusError("word_freq contains no words")
    counts = np.fromiter(seen.values(), np.int64, len(seen))
    return choose(_Frequencies(list(seen), counts), rules).vocabulary


def _trimmed(
    counted: WordCounts,
    trim_rule: Callable[[str, int, int], object],
    min_count: int,
    is_chosen: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Return which words are kept after applying the user's rule to each."""
    words = counted.decode(np.arange(len(is_chosen)))
    is_chosen = is_chosen.copy()
    for i, (word, count) in enumerate(zip(words, counted.counts.tolist(), strict=True)):
        answer = check_trim_answer(word, trim_rule(word, count, min_count))
        if answer is not None:
            is_chosen[i] = answer
    return is_chosen


def _joined(
    counted: WordCounts, rules: VocabularyRules, is_chosen: npt.NDArray[np.bool_], min_count: int
) -> ChosenWords:
    """Keep all words of the base, with summed counts, and the new words in `kept`."""
    base = rules.base
    assert base is not None
    words = counted.decode(np.arange(len(is_chosen)))
    base_ids = _places(words, base)
    new = np.flatnonzero(is_chosen & (base_ids < 0))
    base_ids[new] = len(base) + np.arange(len(new), dtype=np.int32)
    found = base_ids >= 0
    if not found.any():
        raise _nothing_kept(counted, rules)
    counts = np.concatenate([base.counts, np.zeros(len(new), np.int64)])
    counts[base_ids[found]] += counted.counts[found]
    order = np.argsort(-counts if rules.is_sorted else np.zeros(len(counts)), kind="stable")
    final_ids = np.empty(len(order), np.int32)
    final_ids[order] = np.arange(len(order), dtype=np.int32)
    joined = base.words + [words[i] for i in new.tolist()]
    vocabulary = Vocabulary([joined[i] for i in order.tolist()], counts[order])
    return ChosenWords(vocabulary, np.where(found, final_ids[base_ids], np.int32(-1)), min_count)


def _places(words: list[str], vocabulary: Vocabulary) -> Int32Array:
    """Return the (n_words,) int32 ids of words; -1 for words not in the vocabulary."""
    find = vocabulary.index.get
    return np.fromiter((find(word, -1) for word in words), np.int32, len(words))


def _nothing_kept(counted: WordCounts, rules: VocabularyRules) -> CorpusError:
    top = int(counted.counts.argmax())
    most, n_words = int(counted.counts[top]), len(counted.counts)
    if rules.trim_rule is not None and most >= rules.min_count:
        return CorpusError(f"trim_rule and min_count keep none of {n_words} distinct words")
    if most >= rules.min_count:
        n_equal = int((counted.counts == most).sum())
        return CorpusError(
            f"max_final_vocab={rules.max_final_vocab} cannot be met: {n_equal} distinct words "
            f"occur {most} times each, more often than all others; raise max_final_vocab"
        )
    (word,) = counted.decode(np.array([top]))
    return CorpusError(
        f"0 of {n_words} distinct words occur at least {rules.min_count} times "
        f"(most frequent: {word!r}, {most} times); lower min_count"
    )
