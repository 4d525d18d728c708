"""Which of the words counted make the vocabulary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastw2v.base.checks import check_integer
from fastw2v.corpus.arrays import Int32Array, Int64Array
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules, check_trim_answer
from fastw2v.errors import CorpusError, UsageError


class WordCounts(Protocol):
    """Distinct words in order of first appearance."""

    @property
    def name(self) -> str:
        """What errors call the place where they are from."""

    @property
    def counts(self) -> Int64Array:
        """(n_words,) int64, how often each was seen."""

    @property
    def decode(self) -> Callable[[Int64Array], list[str]]:
        """Return the words of these positions."""


class CountedWords(NamedTuple):
    """Counts of words that are nowhere but in arrays; see WordCounts."""

    name: str
    counts: Int64Array
    decode: Callable[[Int64Array], list[str]]


class Choice(NamedTuple):
    """The words kept.  final_ids: (n_words,) int32, -1 for a word that is dropped."""

    vocabulary: Vocabulary
    final_ids: Int32Array
    min_count: int


def choose_words(
    counted: WordCounts, rules: VocabularyRules, vocabulary: Vocabulary | None
) -> Choice:
    """Keep what the rules keep, or the words of a given vocabulary.

    Raises CorpusError if no word is kept.
    """
    return choose(counted, rules) if vocabulary is None else match(counted, vocabulary)


def choose(counted: WordCounts, rules: VocabularyRules) -> Choice:
    """Keep what the rules keep, in their order, words of equal count by first appearance.

    Raises CorpusError if no word is kept.
    """
    counts = counted.counts
    min_count = rules.effective_min_count(counts)
    kept = counts >= min_count
    if rules.trim_rule is not None:
        kept = _trimmed(counted, rules.trim_rule, min_count, kept)
    if rules.base is not None:
        return _joined(counted, rules, kept, min_count)
    chosen = np.flatnonzero(kept)
    if not len(chosen):
        raise _nothing_kept(counted, rules)
    if rules.is_sorted:
        chosen = chosen[np.argsort(-counts[chosen], kind="stable")]
    final_ids = np.full(len(counts), -1, np.int32)
    final_ids[chosen] = np.arange(len(chosen), dtype=np.int32)
    words = counted.decode(chosen)
    return Choice(Vocabulary(words, counted.counts[chosen]), final_ids, min_count)


def match(counted: WordCounts, vocabulary: Vocabulary) -> Choice:
    """Keep the words of a given vocabulary; raise CorpusError if there is none of them."""
    final_ids = _places(counted.decode(np.arange(len(counted.counts))), vocabulary)
    if not (final_ids >= 0).any():
        raise CorpusError(
            f"none of the {len(final_ids)} distinct words of {counted.name} "
            f"is in the given vocabulary of {len(vocabulary)} words"
        )
    return Choice(vocabulary, final_ids, 0)


@dataclass(frozen=True)
class _Frequencies:
    """The words and counts of a mapping."""

    words: list[str]
    counts: Int64Array
    name: str = "word_freq"

    def decode(self, word_ids: Int64Array) -> list[str]:
        """Return the words of these positions."""
        return [self.words[i] for i in word_ids.tolist()]


def choose_from(word_freq: Mapping[Any, int], rules: VocabularyRules) -> Vocabulary:
    """Return the vocabulary that the rules keep of words and counts.

    word_freq: counts >= 0 by word, a string or an integer, which stands for its digits; words
    with a count of 0 were not seen and are left out.
    Raises UsageError for another count or word, CorpusError if no word is kept.
    """
    for word, count in word_freq.items():
        if not isinstance(word, str | int | np.integer) or isinstance(word, bool):
            raise UsageError(f"a word must be a string or an integer, got {word!r}")
        check_integer(f"the count of {word!r}", count, 0, most=2**63 - 1)
    seen = {str(word): int(count) for word, count in word_freq.items() if count}
    if not seen:
        raise CorpusError("word_freq holds no words")
    counts = np.fromiter(seen.values(), np.int64, len(seen))
    return choose(_Frequencies(list(seen), counts), rules).vocabulary


def _trimmed(
    counted: WordCounts,
    trim_rule: Callable[[str, int, int], object],
    min_count: int,
    kept: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Return which words are kept once the user's rule has been asked about each."""
    words = counted.decode(np.arange(len(kept)))
    kept = kept.copy()
    for i, (word, count) in enumerate(zip(words, counted.counts.tolist(), strict=True)):
        answer = check_trim_answer(word, trim_rule(word, count, min_count))
        if answer is not None:
            kept[i] = answer
    return kept


def _joined(
    counted: WordCounts, rules: VocabularyRules, kept: npt.NDArray[np.bool_], min_count: int
) -> Choice:
    """Keep all words of the base, with the counts of both, and the new words that are kept."""
    base = rules.base
    assert base is not None
    words = counted.decode(np.arange(len(kept)))
    places = _places(words, base)
    new = np.flatnonzero(kept & (places < 0))
    places[new] = len(base) + np.arange(len(new), dtype=np.int32)
    found = places >= 0
    if not found.any():
        raise _nothing_kept(counted, rules)
    counts = np.concatenate([base.counts, np.zeros(len(new), np.int64)])
    counts[places[found]] += counted.counts[found]
    order = np.argsort(-counts if rules.is_sorted else np.zeros(len(counts)), kind="stable")
    final_ids = np.empty(len(order), np.int32)
    final_ids[order] = np.arange(len(order), dtype=np.int32)
    joined = base.words + [words[i] for i in new.tolist()]
    vocabulary = Vocabulary([joined[i] for i in order.tolist()], counts[order])
    return Choice(vocabulary, np.where(found, final_ids[places], np.int32(-1)), min_count)


def _places(words: list[str], vocabulary: Vocabulary) -> Int32Array:
    """Return the (n_words,) int32 ids of words, -1 for those that the vocabulary lacks."""
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
