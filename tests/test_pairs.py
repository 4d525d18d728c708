"""Pairs as users give them: vocabulary, weights, order, training."""

import numpy as np
import pytest

from fastw2v import Pairs, Word2Vec
from fastw2v.corpus import Vocabulary, VocabularyRules, read_sentences
from fastw2v.errors import CorpusError, UsageError

ALL = VocabularyRules(min_count=1)
SMALL = {"vector_size": 16, "min_count": 1, "workers": 1, "sg": 1, "sample": 0}


def decoded(corpus):
    words, spool = corpus.vocabulary.words, corpus.spool
    ids = spool.read_tokens(0, spool.n_tokens).reshape(-1, 2)
    return [(words[a], words[b], w) for (a, b), w in zip(ids, spool.weights.tolist(), strict=True)]


def test_pairs_are_encoded_in_their_order_with_counts_of_both_roles():
    pairs = Pairs(["a", "a", "b"], ["x", "b", "a"], shuffle=False)
    corpus = read_sentences(pairs, rules=ALL)
    assert decoded(corpus) == [("a", "x", 1), ("a", "b", 1), ("b", "a", 1)]
    assert corpus.vocabulary.words == ["a", "b", "x"]
    assert corpus.vocabulary.counts.tolist() == [3, 2, 1]
    assert corpus.spool.context_counts.tolist() == [1, 1, 1]
    assert (corpus.n_tokens_read, corpus.n_below_min_count, corpus.n_sentences) == (6, 0, 3)


def test_a_weight_is_trained_in_parts_of_at_most_one_that_add_up_to_it():
    weights = [3, 0.25, 2.5]
    corpus = read_sentences(Pairs(list("abc"), list("xyz"), weights), rules=ALL)
    found = {}
    for centre, _, weight in decoded(corpus):
        assert 0 < weight <= 1
        found.setdefault(centre, []).append(weight)
    assert {word: len(parts) for word, parts in found.items()} == {"a": 3, "b": 1, "c": 3}
    sums = [sum(found[word]) for word in "abc"]
    np.testing.assert_allclose(sums, weights, rtol=1e-6)
    assert corpus.n_tokens_read == 14


def test_whole_weights_are_repeated_pairs():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 20, (2, 50))
    weights = rng.integers(1, 5, 50)
    once = Word2Vec(Pairs(a, b, weights), **SMALL).wv.vectors
    repeated = Pairs(np.repeat(a, weights), np.repeat(b, weights))
    assert (Word2Vec(repeated, **SMALL).wv.vectors == once).all()


def test_shuffling_keeps_the_pairs_and_is_the_same_each_time():
    a, b = np.arange(100), np.arange(100, 200)
    found = [decoded(read_sentences(Pairs(a, b), rules=ALL)) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] != sorted(found[0], key=lambda pair: int(pair[0]))
    assert {(int(a), int(b)) for a, b, _ in found[0]} == {(i, i + 100) for i in range(100)}


def test_a_pair_with_a_dropped_word_goes_and_is_counted():
    pairs = Pairs(list("aaab"), list("xxxx"), shuffle=False)
    corpus = read_sentences(pairs, rules=VocabularyRules(min_count=2))
    assert decoded(corpus) == [("a", "x", 1)] * 3
    assert (corpus.n_tokens_read, corpus.n_below_min_count) == (8, 2)
    corpus = read_sentences(pairs, rules=ALL, vocabulary=Vocabulary(["x", "b"], [2, 1]))
    assert decoded(corpus) == [("b", "x", 1)]


def two_camps(n_pairs=6_000):
    """Customers 0-9 buy items 0-4 if even, 5-9 if odd."""
    rng = np.random.default_rng(3)
    customers = rng.integers(0, 10, n_pairs)
    items = rng.integers(0, 5, n_pairs) + customers % 2 * 5
    return [f"customer{i}" for i in customers], [f"item{i}" for i in items]


@pytest.mark.parametrize("objective", [{}, {"hs": 1}, {"hs": 1, "negative": 5}, {"softmax": True}])
def test_those_who_share_contexts_come_to_lie_together(objective):
    model = Word2Vec(Pairs(*two_camps()), **SMALL | objective, epochs=20, alpha=0.1)
    vectors = model.wv[[f"customer{i}" for i in range(10)]]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    same = np.equal.outer(np.arange(10) % 2, np.arange(10) % 2)
    assert cosines[same].min() > cosines[~same].max()
    s = model.summary
    assert s.n_trained + s.n_subsampled == 20 * s.n_tokens_read == 20 * 12_000
    assert s.n_predictions == 20 * 6_000
    assert model.history[-1].loss < model.history[0].loss


def test_noise_words_are_drawn_from_contexts_alone():
    """The output rows of words that are never a context stay zero."""
    model = Word2Vec(Pairs(*two_camps()), **SMALL)
    is_item = np.array([word.startswith("item") for word in model.wv.index_to_key])
    rows = model.output_vectors
    assert np.abs(rows[is_item]).sum(axis=1).all() and not rows[~is_item].any()


def test_one_thread_repeats_exactly_and_chunks_cut_no_pair(small_chunks):
    vectors = [Word2Vec(Pairs(*two_camps()), **SMALL).wv.vectors for _ in range(2)]
    assert (vectors[0] == vectors[1]).all()


def test_many_threads_train_all_pairs(small_chunks, no_thread_left):
    model = Word2Vec(Pairs(*two_camps()), **SMALL | {"workers": 4, "sample": 1e-2})
    s = model.summary
    assert s.n_trained + s.n_subsampled == 5 * s.n_tokens_read
    assert s.n_subsampled > 0 and s.n_trained == 2 * s.n_predictions


@pytest.mark.parametrize("objective", [{}, {"hs": 1}, {"hs": 1, "negative": 5}])
def test_deterministic_threads_give_the_same_bits(small_chunks, objective):
    settings = SMALL | objective | {"workers": 3, "deterministic": True}
    vectors = [Word2Vec(Pairs(*two_camps()), **settings).wv.vectors for _ in range(2)]
    assert (vectors[0] == vectors[1]).all()


def test_tuples_with_and_without_weights_are_pairs():
    plain = Pairs.from_tuples((a, b) for a, b in [("a", 1), ("b", 2)])
    assert (len(plain), plain.weights) == (2, None)
    weighted = Pairs.from_tuples([["a", "b", 2], ("b", "c", 0.5)])
    assert weighted.weights.tolist() == [2, 0.5]
    assert len(Pairs.from_tuples([])) == 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Pairs(["a"], ["b", "c"]), UsageError,
         "contexts must have the length of centres, 1, got 2"),
        (lambda: Pairs(["a"], ["b"], [0]), UsageError,
         "weights must be finite and above 0, got 0.0 for pair 1"),
        (lambda: Pairs(["a", "a"], ["b", "b"], [1, np.nan]), UsageError,
         "weights must be finite and above 0, got nan for pair 2"),
        (lambda: Pairs(["a"], ["b"], [1, 2]), UsageError,
         r"weights must have shape \(1,\), got \(2,\)"),
        (lambda: Pairs(["a"], ["b"], ["x"]), UsageError, "weights must be numbers: could not"),
        (lambda: Pairs("ab", "cd"), UsageError, "centres must be a sequence of words, got str"),
        (lambda: Pairs(["a", None], ["b", "c"]), CorpusError,
         "centre 2: a token must be a string or an integer, got None"),
        (lambda: Pairs.from_tuples([("a", "b"), ("a", "b", 1)]), UsageError,
         r"pairs must all be \(centre, context\), or all \(centre, context, weight\); got 2, 3"),
        (lambda: read_sentences(Pairs([], []), rules=ALL), CorpusError,
         "the corpus contains no pairs"),
        (lambda: read_sentences(Pairs(["a", "a"], ["b", "c"]), rules=VocabularyRules(2)),
         CorpusError, "none of the 2 pairs has both words in the vocabulary"),
        (lambda: Word2Vec(Pairs(["a"], ["b"]), min_count=1), UsageError,
         "pairs train skip-gram, and this model is CBOW: pass sg=1"),
    ],
)  # fmt: skip
def test_what_are_no_pairs_is_refused(make, error, message):
    with pytest.raises(error, match=f"^{message}"):
        make()
