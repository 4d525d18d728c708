"""Find and join phrases: the API of gensim 4's Phrases, with counting in C."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.checks import check_finite, check_path, shown
from fastw2v.base.tables import N_WORDS, few_words, html_table, shortened
from fastw2v.corpus import Vocabulary, VocabularyRules, read_sentences, read_text
from fastw2v.corpus.collocations import (
    PairCounter,
    PairCounts,
    PhraseRules,
    Scorer,
    choose_threads,
    connector_flags,
    find_phrases,
    least_count,
)
from fastw2v.corpus.lexicon import plain_token
from fastw2v.corpus.tokenizers import AnyTokenizer, check_tokenizer
from fastw2v.errors import ModelFormatError, UsageError, reading

Path = str | os.PathLike[str]

# The words of gensim's ENGLISH_CONNECTOR_WORDS: articles, prepositions, conjunctions.
ENGLISH_CONNECTOR_WORDS = frozenset(
    "a an the for of with without at from to in on by and or".split()  # noqa: SIM905
)
ALL_WORDS = VocabularyRules(min_count=1)


class _PhraseJoiner:
    """Joins the phrases in token lists; the common base of Phrases and FrozenPhrases."""

    rules: PhraseRules

    def _score(self, words: tuple[str, ...]) -> tuple[str, float] | None:
        """Return the text and score of a phrase, or None if the words are not a phrase."""
        raise NotImplementedError

    @property
    def delimiter(self) -> str:
        """The text between the words of a phrase."""
        return self.rules.delimiter

    @property
    def connector_words(self) -> frozenset[str]:
        """Words allowed only inside a phrase."""
        return self.rules.connector_words

    @property
    def min_count(self) -> float:
        """The count that a pair must exceed or, with npmi, reach."""
        return self.rules.min_count

    @property
    def threshold(self) -> float:
        """The score that a phrase must exceed."""
        return self.rules.threshold

    @property
    def scoring(self) -> str | Scorer:
        """The name of the score, or the scoring function."""
        return self.rules.scoring

    def _settings_table(self, *counts: tuple[str, int]) -> str:
        """Return an HTML table of counts and settings."""
        names = ("min_count", "threshold", "scoring", "delimiter")
        settings = [(name, str(getattr(self, name))) for name in names]
        return html_table(type(self).__name__, [*counts, *settings])

    def analyze_sentence(self, sentence: Iterable[str]) -> Iterator[tuple[str, float | None]]:
        """Yield the tokens of a sentence: phrases with their score, other tokens with None."""
        pending: list[str] = []  # a word that may start a phrase, then connectors
        for token in sentence:
            word = plain_token(token) if isinstance(token, str) else token
            if word in self.connector_words:
                if pending:
                    pending.append(word)
                else:
                    yield word, None
                continue
            phrase = self._score((*pending, word)) if pending else None
            if phrase is not None:
                yield phrase
                pending = []
            else:
                yield from ((token, None) for token in pending)
                pending = [word]
        yield from ((token, None) for token in pending)

    def __getitem__(self, sentence: Iterable[Any]) -> Any:
        """Return a sentence with its phrases joined or, for a corpus, an iterator of sentences."""
        tokens = iter(sentence)
        first = next(tokens, None)
        if first is not None and not isinstance(first, str):
            return (self[each] for each in chain([first], tokens))
        rest = chain([] if first is None else [first], tokens)
        return [token for token, _ in self.analyze_sentence(rest)]

    def find_phrases(self, sentences: Iterable[Iterable[str]]) -> dict[str, float]:
        """Return the phrases that occur in the sentences, with their scores."""
        return {
            token: score
            for sentence in sentences
            for token, score in self.analyze_sentence(sentence)
            if score is not None
        }


class Phrases(_PhraseJoiner):
    """Find phrases by how often words follow each other.

    sentences: iterable of lists of strings.
    corpus_file: paths, as Word2Vec accepts them, in place of sentences.
    allow_binary: read files that are not text, and text with NUL bytes.
    tokenizer: splits texts, as for Word2Vec.
    min_count, threshold, scoring, delimiter, connector_words: see PhraseRules. ``default`` scores
    (bigram_count - min_count) / worda_count / wordb_count * len_vocab. ``word2phrase`` replaces
    len_vocab by corpus_word_count. ``npmi`` is in [-1, 1].
    max_vocab_size, progress_per: accepted for compatibility with gensim and ignored; no counts
    are pruned.
    workers: number of counting threads; None for one per core, at most 8.
    Raises UsageError, CorpusError, ReadError.

    Scores equal gensim's, including those of a token and a phrase with the same text.
    export_phrases uses the words as counted; gensim splits the joined text again, which
    separates new_york + city into three words.
    Reference: Mikolov et al. 2013 (1310.4546), section 4.
    """

    def __init__(
        self,
        sentences: Iterable[Iterable[Any]] | None = None,
        min_count: float = 5,
        threshold: float = 10.0,
        max_vocab_size: int = 40_000_000,
        delimiter: str = "_",
        progress_per: int = 10_000,
        scoring: str | Scorer = "default",
        connector_words: Iterable[str] = frozenset(),
        *,
        corpus_file: Path | list[Path] | None = None,
        allow_binary: bool = False,
        tokenizer: str | AnyTokenizer | None = None,
        workers: int | None = None,
    ) -> None:
        if isinstance(connector_words, str):
            raise UsageError("connector_words must be a set of words, got one string")
        try:
            connectors = frozenset(connector_words)
        except TypeError:
            raise UsageError(
                f"connector_words must be a set of words, got {shown(connector_words)}"
            ) from None
        self.rules = PhraseRules(min_count, threshold, scoring, delimiter, connectors)
        self.max_vocab_size, self.progress_per = max_vocab_size, progress_per
        self._n_threads = choose_threads(workers)
        self._counter = PairCounter(self._n_threads)
        self._words: list[str] = []
        self._counts = np.zeros(0, np.int64)
        self._found: dict[tuple[str, ...], tuple[str, float]] | None = None
        if sentences is not None or corpus_file is not None:
            self.add_vocab(
                sentences,
                corpus_file=corpus_file,
                allow_binary=allow_binary,
                tokenizer=tokenizer,
            )

    def add_vocab(
        self,
        sentences: Iterable[Iterable[Any]] | None = None,
        *,
        corpus_file: Path | list[Path] | None = None,
        allow_binary: bool = False,
        tokenizer: str | AnyTokenizer | None = None,
    ) -> None:
        """Count more text; the parameters are those of Phrases.

        Raises UsageError unless exactly one of sentences and corpus_file is given, CorpusError if
        the text contains no words, ReadError.
        """
        if (sentences is None) == (corpus_file is None):
            raise UsageError("pass either sentences or corpus_file, and not both")
        split = check_tokenizer(tokenizer)
        if sentences is not None:
            corpus = read_sentences(sentences, rules=ALL_WORDS, tokenizer=split)
        else:
            assert corpus_file is not None
            corpus = read_text(
                corpus_file,
                rules=ALL_WORDS,
                threads=self._n_threads,
                allow_binary=allow_binary,
                tokenizer=split,
            )
        with corpus.spool:
            new_ids = self._add_words(corpus.vocabulary)
            connectors = connector_flags(self._words, self.connector_words)
            self._counter.count(corpus.spool, connectors, new_ids)
        self._found = None

    def _add_words(self, vocabulary: Vocabulary) -> NDArray[np.int32] | None:
        """Add words and counts; return the new ids of the words, or None if they are unchanged."""
        if not self._words:
            self._words, self._counts = list(vocabulary.words), vocabulary.counts.copy()
            return None
        ids = {word: i for i, word in enumerate(self._words)}
        new_ids = [ids.setdefault(word, len(ids)) for word in vocabulary.words]
        self._words = list(ids)
        self._counts = np.append(self._counts, np.zeros(len(ids) - len(self._counts), np.int64))
        self._counts[new_ids] += vocabulary.counts
        return np.array(new_ids, np.int32)

    @property
    def corpus_word_count(self) -> int:
        """The number of tokens counted."""
        return int(self._counts.sum())

    @property
    def vocab(self) -> dict[str, int]:
        """The counts of all words except connectors, and of all joined pairs; built on access."""
        counts = {
            word: count
            for word, count in zip(self._words, self._counts.tolist(), strict=True)
            if count and word not in self.connector_words
        }
        pairs = self._pairs(1)
        columns = (pairs.starts.tolist(), pairs.words.tolist(), pairs.counts.tolist())
        for ids, count in sorted(
            ((*pairs.word_ids(start_id), last), count)
            for start_id, last, count in zip(*columns, strict=True)
        ):
            text = self.delimiter.join(self._words[i] for i in ids)
            counts[text] = counts.get(text, 0) + count
        return counts

    def export_phrases(self) -> dict[str, float]:
        """Return all phrases found so far with their scores; the highest for equal texts."""
        scores: dict[str, float] = {}
        for text, score in self._phrases().values():
            scores[text] = max(score, scores.get(text, score))
        return scores

    def freeze(self) -> FrozenPhrases:
        """Return a FrozenPhrases: the phrases without the counts."""
        return FrozenPhrases(self)

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self._words)} words, min_count={self.min_count}, "
            f"threshold={self.threshold}>"
        )

    def __repr__(self) -> str:
        return f"{str(self)[:-1]}, scoring={self.scoring!r}, {self.corpus_word_count:,} tokens>"

    def _repr_html_(self) -> str:
        return self._settings_table(("words", len(self._words)), ("tokens", self.corpus_word_count))

    def _score(self, words: tuple[str, ...]) -> tuple[str, float] | None:
        return self._phrases().get(words)

    def _phrases(self) -> dict[tuple[str, ...], tuple[str, float]]:
        if self._found is None:
            pairs = self._pairs(least_count(self.rules, self._words))
            found = find_phrases(self.rules, self._words, self._counts, pairs)
            self._found = {phrase.words: (phrase.text, phrase.score) for phrase in found}
        return self._found

    def _pairs(self, least: int) -> PairCounts:
        return self._counter.result(connector_flags(self._words, self.connector_words), least)


class FrozenPhrases(_PhraseJoiner):
    """The phrases of a Phrases object, without its counts.

    phrasegrams: dict from the text of each phrase to its score. As in gensim, all words whose
    joined text equals that of a phrase are that phrase.
    """

    def __init__(self, phrases_model: Phrases) -> None:
        """Take the phrases found so far."""
        self.rules = phrases_model.rules
        self.phrasegrams: dict[str, float] = phrases_model.export_phrases()

    def save(self, path: Path) -> None:
        """Write the phrases and settings as JSON.

        Raises SaveError, or UsageError if scoring is a function, which cannot be saved.
        """
        check_path("path", path)
        if not isinstance(self.rules.scoring, str):
            raise UsageError("phrases scored by a custom function cannot be saved")
        settings = asdict(self.rules) | {"connector_words": sorted(self.connector_words)}
        text = json.dumps({"fastw2v_phrases": settings, "phrases": self.phrasegrams}, indent=0)
        with atomic_write(path) as file:
            file.write(text.encode("ascii"))

    @classmethod
    def load(cls, path: Path) -> FrozenPhrases:
        """Read a file written by save().  Raises ReadError, or ModelFormatError for other files."""
        check_path("path", path)
        name = os.fspath(path)
        with reading(name), open(name, "rb") as file:
            text = file.read()
        try:
            content = json.loads(text)
            settings = content["fastw2v_phrases"]
            connectors = frozenset(map(str, settings["connector_words"]))
            loaded = cls.__new__(cls)
            loaded.rules = PhraseRules(**(settings | {"connector_words": connectors}))
            scores = content["phrases"].items()
            loaded.phrasegrams = {
                str(phrase): check_finite(f"the score of {phrase!r}", score)
                for phrase, score in scores
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelFormatError(f"{name}: not phrases saved by fastw2v: {error}") from error
        return loaded

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self.phrasegrams)} phrases, min_count={self.min_count}, "
            f"threshold={self.threshold}>"
        )

    def __repr__(self) -> str:
        phrases = few_words(self.phrasegrams)
        return f"{str(self)[:-1]}, scoring={self.scoring!r}{': ' if phrases else ''}{phrases}>"

    def _repr_html_(self) -> str:
        phrases = islice(self.phrasegrams.items(), N_WORDS)
        first = [(shortened(phrase), score) for phrase, score in phrases]
        return self._settings_table(("phrases", len(self.phrasegrams))) + html_table(
            "", first, ("phrase", "score")
        )

    def _score(self, words: tuple[str, ...]) -> tuple[str, float] | None:
        text = self.delimiter.join(words)
        score = self.phrasegrams.get(text)
        return None if score is None else (text, score)


Phraser = FrozenPhrases  # the name used before gensim 4
