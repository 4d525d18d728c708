"""Score pairs and select phrases, as gensim's Phrases and word2phrase do."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.checks import MOST, check_choice, check_finite, shown
from fastw2v.base.memory import fresh
from fastw2v.corpus.collocations.counting import WORD_BITS, WORD_MASK, PairCounts
from fastw2v.errors import UsageError

Floats = NDArray[np.float64]
Scorer = Callable[..., float]
SCORERS = ("default", "npmi", "word2phrase")
# Scores this close to the threshold are recomputed exactly; NumPy's error is far smaller.
SCORE_MARGIN = 1e-9
# Base of a polynomial modulo 2^64: odd, with about half of its bits set.
HASH_BASE = 0x9E3779B97F4A7C15
BLOCK_PAIRS = 1 << 13  # hashed at a time: 64 KiB temporaries stay in cache and on the heap


@dataclass(frozen=True)
class PhraseRules:
    """The rules that decide whether two words are a phrase.

    min_count: > 0. `default` and `word2phrase` subtract it from each pair's count; for `npmi` it
    is the minimum count.
    threshold: minimum score, exclusive; > 0, or in [-1, 1] for `npmi`.
    scoring: a name in SCORERS, or a function with the keyword arguments worda_count, wordb_count,
    bigram_count, len_vocab, min_count and corpus_word_count.
    delimiter: text between the words of a phrase.
    connector_words: words allowed only inside a phrase.
    Raises UsageError.
    """

    min_count: float = 5
    threshold: float = 10.0
    scoring: str | Scorer = "default"
    delimiter: str = "_"
    connector_words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not check_finite("min_count", self.min_count) > 0:
            raise UsageError(f"min_count should be at least 1, got {self.min_count}")
        if self.min_count > MOST:
            raise UsageError(f"min_count must be at most {MOST}, got {self.min_count}")
        check_finite("threshold", self.threshold)
        if not isinstance(self.delimiter, str):
            raise UsageError(f"delimiter must be a string, got {shown(self.delimiter)}")
        if isinstance(self.scoring, type) or not callable(self.scoring):
            check_choice("scoring", self.scoring, tuple(SCORERS))
        if not all(isinstance(word, str) for word in self.connector_words):
            raise UsageError(
                f"connector_words must be a set of words, got {shown(self.connector_words)}"
            )
        if self.scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise UsageError(
                f"threshold should be between -1 and 1 for npmi scoring, got {self.threshold}"
            )
        if self.scoring in ("default", "word2phrase") and not self.threshold > 0:
            raise UsageError(
                f"threshold should be positive for {self.scoring} scoring, got {self.threshold}"
            )


class FoundPhrase(NamedTuple):
    """A phrase, with its start and last word as in PairCounts."""

    words: tuple[str, ...]
    text: str
    score: float
    start_id: int
    last: int


def find_phrases(
    rules: PhraseRules, words: Sequence[str], counts: NDArray[np.int64], pairs: PairCounts
) -> list[FoundPhrase]:
    """Return all phrases, in the order of their words: that of the pairs is random.

    A token and a phrase with the same text count as one, as in gensim.

    words, counts: (n_words,), including connectors, which no pair starts or ends with.
    pairs: the pairs with a count of at least least_count(rules, words).
    """
    is_connector = np.array([word in rules.connector_words for word in words], bool)
    word_counts = np.where(is_connector, 0, counts)
    pair_counts, n_types = pairs.counts, int(np.count_nonzero(word_counts)) + pairs.n_different
    if texts_may_collide(rules, words):
        word_counts, pair_counts, n_types = _count_texts(rules, words, word_counts, pairs)
    likely = np.flatnonzero(pair_counts >= rules.min_count)
    if not isinstance(rules.scoring, str):
        likely = np.arange(len(pair_counts))
    starts, lasts = pairs.starts[likely], pairs.words[likely]
    first_counts = word_counts[pairs.first_words(starts)]
    seen = _Seen(first_counts, word_counts[lasts], pair_counts[likely], n_types, int(counts.sum()))
    scores = _scores(rules, seen)
    found = []
    for row in np.flatnonzero(scores > rules.threshold).tolist():
        start_id, last = int(starts[row]), int(lasts[row])
        texts = tuple(words[i] for i in (*pairs.word_ids(start_id), last))
        text = rules.delimiter.join(texts)
        found.append(FoundPhrase(texts, text, float(scores[row]), start_id, last))
    return sorted(found, key=lambda phrase: phrase.words)


def least_count(rules: PhraseRules, words: Sequence[str]) -> int:
    """Return the minimum count of a pair that can affect the phrases."""
    if not isinstance(rules.scoring, str) or texts_may_collide(rules, words):
        return 1
    return math.ceil(rules.min_count)


def texts_may_collide(rules: PhraseRules, words: Sequence[str]) -> bool:
    """Return whether two pairs, or a pair and a word, can have the same text."""
    return len(rules.delimiter) != 1 or rules.delimiter in "".join(words)


@dataclass(frozen=True)
class _Seen:
    """The (n,) counts of the pairs to score, and the number of types and tokens in the corpus.

    A type is a distinct word or pair.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    pair: NDArray[np.int64]
    n_types: int
    n_tokens: int


def _scores(rules: PhraseRules, seen: _Seen) -> Floats:
    """Return the (n,) scores; -inf for pairs that cannot be phrases."""
    if rules.scoring == "npmi":
        return _npmi(seen, rules.threshold)
    if isinstance(rules.scoring, str):
        total = seen.n_types if rules.scoring == "default" else seen.n_tokens
        return (seen.pair - rules.min_count) / (seen.first.astype(float) * seen.last) * total
    shared = {
        "len_vocab": seen.n_types,
        "min_count": rules.min_count,
        "corpus_word_count": seen.n_tokens,
    }
    rows = zip(seen.first.tolist(), seen.last.tolist(), seen.pair.tolist(), strict=True)
    scorer = rules.scoring
    return np.array(
        [
            scorer(worda_count=a, wordb_count=b, bigram_count=n, **shared) if a and b else -math.inf
            for a, b, n in rows
        ],
        float,
    )


def _npmi(seen: _Seen, threshold: float) -> Floats:
    """Return ln(p(ab) / (p(a) p(b))) / -ln p(ab) (Bouma 2009), or -inf below the threshold."""
    total = float(seen.n_tokens)
    first, last, pair = seen.first / total, seen.last / total, seen.pair / total
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = pair / (first * last)
        scores = np.log(ratios) / -np.log(pair)
    likely = (scores > threshold - SCORE_MARGIN) & (pair < 1)
    exact = np.full(len(scores), -math.inf)
    exact[likely] = [
        math.log(ratio) / -math.log(p)
        for ratio, p in zip(ratios[likely].tolist(), pair[likely].tolist(), strict=True)
    ]
    return exact


# ---- texts shared by several words or pairs ----


def _count_texts(
    rules: PhraseRules, words: Sequence[str], word_counts: NDArray[np.int64], pairs: PairCounts
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the counts of words and of pairs by text, and the number of distinct texts.

    If words contain the delimiter, new_york + city, new + york_city and the word new_york_city
    have the same text. Texts are compared by 64-bit hashes.
    """
    hashes = _Hashes(words, rules.delimiter)
    of_words = hashes.of_words()
    of_pairs = hashes.of_pairs(pairs)
    seen = np.flatnonzero(word_counts)
    every = np.sort(np.concatenate([of_words[seen], of_pairs]))
    repeated = every[1:][every[1:] == every[:-1]]
    n_types = len(every) - len(repeated)
    texts = np.unique(repeated)
    if not len(texts):
        return word_counts, pairs.counts, n_types
    word_places, is_word = _places(texts, of_words)
    is_word[word_counts == 0] = False
    pair_places, is_pair = _places(texts, of_pairs)
    totals = np.zeros(len(texts), np.int64)
    np.add.at(totals, word_places[is_word], word_counts[is_word])
    np.add.at(totals, pair_places[is_pair], pairs.counts[is_pair])
    return (
        np.where(is_word, totals[word_places], word_counts),
        np.where(is_pair, totals[pair_places], pairs.counts),
        n_types,
    )


def _places(
    texts: NDArray[np.uint64], hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the position of each hash in the sorted texts, and whether it is present."""
    nearest = np.minimum(np.searchsorted(texts, hashes), len(texts) - 1)
    return nearest, texts[nearest] == hashes


class _Hashes:
    """Polynomial hashes modulo 2^64 of texts; the hash of a joined text follows from its parts.

    h(xy) = h(x) * base^len(y) + h(y), in uint64 with wraparound.
    """

    def __init__(self, words: Sequence[str], delimiter: str) -> None:
        texts = (*words, delimiter)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.cumsum(lengths)
        powers = np.ones(int(lengths.max()) + 1, np.uint64)
        np.cumprod(np.full(len(powers) - 1, HASH_BASE, np.uint64), out=powers[1:])
        terms = powers[np.repeat(ends, lengths) - np.arange(1, len(characters) + 1)]
        terms *= characters + np.uint64(1)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms)])
        hashes = sums[ends] - sums[ends - lengths]
        # (n_words, 2): hash and base^length are adjacent to share a cache miss
        self._words = np.stack([hashes[:-1], powers[lengths[:-1]]], axis=1)
        self._delimiter = hashes[-1], powers[lengths[-1]]

    def of_words(self) -> NDArray[np.uint64]:
        """Return (n_words,) hashes."""
        return np.array(self._words[:, 0])

    def of_pairs(self, pairs: PairCounts) -> NDArray[np.uint64]:
        """Return (n_pairs,) hashes of the joined texts."""
        of_starts = self._of_starts(pairs.long_keys)
        result = fresh(len(pairs.starts), np.uint64)
        for first in range(0, len(result), BLOCK_PAIRS):
            block = slice(first, first + BLOCK_PAIRS)
            left = of_starts[self._places(pairs.starts[block])]
            result[block] = self._joined(left, pairs.words[block])
        return result

    def _joined(self, left: NDArray[np.uint64], words: NDArray[np.int64]) -> NDArray[np.uint64]:
        delimiter, power = self._delimiter
        right = self._words.take(words, axis=0)
        joined: NDArray[np.uint64] = (left * power + delimiter) * right[:, 1] + right[:, 0]
        return joined

    def _places(self, starts: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the position of each start in the list of all words, then all longer starts."""
        skipped = _core.FIRST_LONG_START - len(self._words)
        rows = starts.astype(np.int64)
        rows[rows >= _core.FIRST_LONG_START] -= skipped
        return rows

    def _of_starts(self, long_keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the hashes of all words, then of the longer starts, each built from another."""
        keys = long_keys - np.uint64(1)
        before = self._places(keys >> WORD_BITS)
        connectors = (keys & WORD_MASK).astype(np.int64)
        n_words = len(self._words)
        hashes = np.concatenate([self._words[:, 0], np.zeros(len(keys), np.uint64)])
        is_known = np.arange(len(hashes)) < n_words
        todo = np.arange(len(keys))
        while len(todo):
            ready = is_known[before[todo]]
            new, todo = todo[ready], todo[~ready]
            hashes[n_words + new] = self._joined(hashes[before[new]], connectors[new])
            is_known[n_words + new] = True
        return hashes
