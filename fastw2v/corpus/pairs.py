"""Pairs of words as training input, instead of text and windows."""

import time
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v.base.memory import Float32Array, Int32Array, Int64Array
from fastw2v.corpus.encode import EncodedCorpus
from fastw2v.corpus.lexicon import TokenLexicon
from fastw2v.corpus.pair_spool import PairSpool
from fastw2v.corpus.vocabulary import CountedWords, Vocabulary, VocabularyRules, choose_words
from fastw2v.errors import CorpusError, UsageError

SHUFFLE_SEED = 0


class Pairs:
    """(centre, context) pairs for Word2Vec to train on in place of sentences, with sg=1.

    Each pair trains the centre's vector to predict its context, log p(context | centre), against
    negative samples, which are drawn by their counts as contexts. Any two items that occur
    together can form a pair, such as a word and a dependency, or a customer and an item. Words
    and contexts share one vocabulary; the model's output_vectors are those of the contexts.

    centres, contexts: (n_pairs,) strings or integers, as sequences, arrays or columns of a data
    frame. Integers are converted to their decimal digits.
    weights: (n_pairs,) floats, finite and > 0; None for 1 each. A pair of weight w counts as w
    pairs: it is trained ceil(w) times per epoch, each time with gradient and loss scaled by
    w / ceil(w). Integer weights are equivalent to repeated pairs, and no weight makes a step
    larger.
    shuffle: train in a random order, the same in each run and epoch. In the given order,
    neighbouring pairs often share a word.
    Raises UsageError for unequal lengths or invalid weights, CorpusError for invalid words.

    Subsampling drops a pair if it drops either word; sample=0 keeps all. A pair counts as two
    tokens. window does not apply. Each pair takes 12 bytes.
    Reference: Mikolov et al. 2013 (1310.4546), equation 4; Levy and Goldberg 2014 (ACL),
    "Dependency-based word embeddings".
    """

    def __init__(
        self,
        centres: Iterable[object],
        contexts: Iterable[object],
        weights: npt.ArrayLike | None = None,
        *,
        shuffle: bool = True,
    ) -> None:
        self.lexicon = TokenLexicon()
        self.inputs = _ids_of("centre", centres, self.lexicon)
        self.outputs = _ids_of("context", contexts, self.lexicon)
        n_pairs = len(self.inputs)
        if len(self.outputs) != n_pairs:
            raise UsageError(
                f"contexts must have the length of centres, {n_pairs}, got {len(self.outputs)}"
            )
        self.weights = None if weights is None else _checked_weights(weights, n_pairs)
        self.shuffle = shuffle

    @classmethod
    def from_tuples(cls, pairs: Iterable[Iterable[Any]], *, shuffle: bool = True) -> "Pairs":
        """Build Pairs from an iterable of (centre, context) or (centre, context, weight)."""
        rows = [tuple(pair) for pair in pairs]
        sizes = {len(row) for row in rows}
        if not sizes <= {2} and not sizes <= {3}:
            raise UsageError(
                "pairs must all be (centre, context), or all (centre, context, weight); "
                f"got {', '.join(map(str, sorted(sizes)))} items"
            )
        columns = list(zip(*rows, strict=True)) or [(), ()]
        return cls(*columns, shuffle=shuffle)

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        weighted = "" if self.weights is None else ", weighted"
        return f"Pairs<{len(self):,} pairs of {self.lexicon.n_words:,} words{weighted}>"


def read_pairs(
    pairs: Pairs, *, rules: VocabularyRules, vocabulary: Vocabulary | None = None
) -> EncodedCorpus:
    """Choose the vocabulary and encode the pairs, without those that contain a dropped word.

    Raises CorpusError if there are no pairs or none is kept.
    """
    started = time.perf_counter()
    if not len(pairs):
        raise CorpusError("the corpus contains no pairs")
    n_visits, weights = _visits(pairs.weights, len(pairs))
    n_words = pairs.lexicon.n_words
    as_context = _weighted_counts(pairs.outputs, n_visits, n_words)
    counts = as_context + _weighted_counts(pairs.inputs, n_visits, n_words)
    counted = CountedWords("the corpus", counts, pairs.lexicon.decode)
    chosen = choose_words(counted, rules, vocabulary)
    inputs, outputs = chosen.final_ids[pairs.inputs], chosen.final_ids[pairs.outputs]
    known_pairs = np.flatnonzero((inputs >= 0) & (outputs >= 0))
    if not len(known_pairs):
        raise CorpusError(f"none of the {len(pairs)} pairs has both words in the vocabulary")
    order = np.repeat(known_pairs, n_visits[known_pairs])
    if pairs.shuffle:
        np.random.default_rng(SHUFFLE_SEED).shuffle(order)
    word_ids = np.empty((len(order), 2), np.int32)
    word_ids[:, 0], word_ids[:, 1] = inputs[order], outputs[order]
    context_counts = np.bincount(word_ids[:, 1], minlength=len(chosen.vocabulary))
    n_read = 2 * int(n_visits.sum())
    return EncodedCorpus(
        vocabulary=chosen.vocabulary,
        spool=PairSpool(word_ids.reshape(-1), weights[order], context_counts),
        n_tokens_read=n_read,
        n_below_min_count=n_read - 2 * len(order),
        n_sentences=n_read // 2,
        n_bytes_read=0,
        seconds=time.perf_counter() - started,
        min_count=chosen.min_count,
        n_distinct=len(chosen.final_ids),
        n_distinct_kept=chosen.n_kept,
    )


def _ids_of(role: str, words: Iterable[object], lexicon: TokenLexicon) -> Int32Array:
    """Return the lexicon's ids of a column."""
    values = words if isinstance(words, list | tuple) else np.asarray(words)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.ndim == 1:
        distinct, numbers = np.unique(values, return_inverse=True)
        return _ids_of(role, distinct.tolist(), lexicon)[numbers]
    if isinstance(words, str | bytes) or (isinstance(values, np.ndarray) and values.ndim != 1):
        raise UsageError(f"{role}s must be a sequence of words, got {type(words).__name__}")
    ids = array("i")
    try:
        lexicon.append_ids(values.tolist() if isinstance(values, np.ndarray) else values, ids)
    except TypeError as error:
        raise CorpusError(f"{role} {len(ids) + 1}: {error}") from error
    return np.frombuffer(ids, np.int32) if ids else np.empty(0, np.int32)


def _checked_weights(weights: npt.ArrayLike, n_pairs: int) -> npt.NDArray[np.float64]:
    try:
        values = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"weights must be numbers: {error}") from None
    if values.shape != (n_pairs,):
        raise UsageError(f"weights must have shape ({n_pairs},), got {values.shape}")
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(wrong):
        first = int(wrong[0])
        raise UsageError(
            f"weights must be finite and above 0, got {values[first]} for pair {first + 1}"
        )
    return values


def _visits(
    weights: npt.NDArray[np.float64] | None, n_pairs: int
) -> tuple[Int64Array, Float32Array]:
    """Return how often each pair is trained per epoch, and its weight each time."""
    if weights is None:
        return np.ones(n_pairs, np.int64), np.ones(n_pairs, np.float32)
    n_visits = np.ceil(weights)
    return n_visits.astype(np.int64), (weights / n_visits).astype(np.float32)


def _weighted_counts(ids: Int32Array, n_visits: Int64Array, n_words: int) -> Int64Array:
    return np.bincount(ids, n_visits, n_words).astype(np.int64)
