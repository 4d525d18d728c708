"""gensim's parameters mean here what they mean there."""

import inspect

import numpy as np
import pytest
from small_model import SMALL, same_bits

from fastw2v import Word2Vec
from fastw2v.errors import CorpusError, UsageError

# gensim 4.4's parameters, in its order.
CONSTRUCTOR = """sentences corpus_file vector_size alpha window min_count max_vocab_size sample seed
    workers min_alpha sg hs negative ns_exponent cbow_mean hashfxn epochs null_word trim_rule
    sorted_vocab batch_words compute_loss callbacks comment max_final_vocab shrink_windows"""
METHODS = {
    "__init__": CONSTRUCTOR,
    "build_vocab": "corpus_iterable corpus_file update progress_per keep_raw_vocab trim_rule",
    "build_vocab_from_freq": "word_freq keep_raw_vocab corpus_count trim_rule update",
    "train": "corpus_iterable corpus_file total_examples total_words epochs start_alpha end_alpha "
    "word_count queue_factor report_delay compute_loss callbacks",
}


def positional(function):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.name != "self"]


@pytest.mark.parametrize("name", METHODS)
def test_parameters_stand_in_gensims_order(name):
    assert positional(getattr(Word2Vec, name)) == METHODS[name].split()


@pytest.mark.parametrize("name", METHODS)
def test_that_order_is_what_gensim_has(name):
    models = pytest.importorskip("gensim.models")
    assert positional(getattr(models.Word2Vec, name)) == METHODS[name].split()


def test_positions_reach_the_parameters(sentences):
    model = Word2Vec(sentences, None, 8, 0.04, 3, 2, None, 0.01, 7, 1, 0.001, 1, 0, 4, 0.5, 1,
                     hash, 2, 0, None, 1, 5000, True, (), "a note", 100, False)  # fmt: skip
    named = Word2Vec(sentences, vector_size=8, alpha=0.04, window=3, min_count=2, sample=0.01,
                     seed=7, workers=1, min_alpha=0.001, sg=1, negative=4, ns_exponent=0.5,
                     epochs=2, max_final_vocab=100, shrink_windows=False)  # fmt: skip
    assert same_bits(model, named)
    p = model.parameters
    assert (p.vector_size, p.alpha, p.window, p.sample, p.seed) == (8, 0.04, 3, 0.01, 7)
    assert (p.min_alpha, p.sg, p.negative, p.ns_exponent, p.epochs) == (0.001, True, 4, 0.5, 2)
    assert (p.shrink_windows, model.min_count, model.max_final_vocab) == (False, 2, 100)
    assert (model.comment, model.compute_loss, model.batch_words) == ("a note", True, 5000)


def test_parameters_without_meaning_change_nothing(sentences):
    plain = Word2Vec(sentences, **SMALL)
    given = Word2Vec(sentences, hashfxn=len, null_word=1, batch_words=1,
                     compute_loss=True, comment="x", max_vocab_size=10, **SMALL)  # fmt: skip
    assert same_bits(plain, given)
    again = Word2Vec(**SMALL)
    again.build_vocab(sentences, progress_per=1, keep_raw_vocab=True)
    again.train(sentences, total_examples=1, total_words=1, word_count=5, queue_factor=9,
                report_delay=0.1, compute_loss=True)  # fmt: skip
    assert same_bits(plain, again)


@pytest.mark.filterwarnings("ignore:nothing was trained")
def test_zero_means_zero(sentences):
    model = Word2Vec([*sentences, ["once"]], min_count=0, sample=0, min_alpha=0, **SMALL)
    assert "once" in model.wv
    assert model.summary.n_subsampled == 0
    assert model.history[-1].lr == 0
    model.train(sentences, end_alpha=0.0)
    assert model.history[-1].lr == 0
    before = model.wv.vectors.copy()
    model.train(sentences, start_alpha=0.0, end_alpha=0.0)
    np.testing.assert_array_equal(model.wv.vectors, before)
    with pytest.raises(UsageError, match="negative=0 leaves nothing to train"):
        Word2Vec(sentences, negative=0)
    with pytest.raises(UsageError, match="epochs must be at least 1, got 0"):
        model.train(sentences, epochs=0)


def test_no_seed_draws_one(sentences):
    models = [Word2Vec(sentences, seed=None, **SMALL) for _ in range(2)]
    assert not same_bits(*models)
    assert same_bits(models[0], Word2Vec(sentences, seed=models[0].seed, **SMALL))


# ---- the vocabulary ----


def rule(word, count, min_count):
    return {"c1": 1, "rare": 2}.get(word, 0)


def counts_of(model):
    return {word: model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key}


VOCABULARIES = {
    "min_count": {"min_count": 40},
    "max_final_vocab": {"min_count": 1, "max_final_vocab": 50},
    "both": {"min_count": 300, "max_final_vocab": 50},
    "trim_rule": {"min_count": 40, "trim_rule": rule},
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_the_vocabulary_is_gensims(sentences, name):
    models = pytest.importorskip("gensim.models")
    text = [*sentences, ["rare", "rarer"]]
    ours = Word2Vec(text, **VOCABULARIES[name], **SMALL)
    theirs = models.Word2Vec(text, **VOCABULARIES[name], **SMALL)
    assert counts_of(ours) == counts_of(theirs)
    assert ours.corpus_count == theirs.corpus_count == len(text)
    assert ours.corpus_total_words == theirs.corpus_total_words
    assert counts_of(ours)["c2"] == sum(sentence.count("c2") for sentence in text)


@pytest.mark.parametrize("sample", [1e-3, 1e-2, 30, 5.5])
def test_words_are_thinned_out_as_in_gensim(sentences, sample):
    models = pytest.importorskip("gensim.models")
    ours = Word2Vec(sentences, sample=sample, **SMALL)
    theirs = models.Word2Vec(sentences, sample=sample, **SMALL)
    for i, word in enumerate(ours.wv.index_to_key):
        chance = theirs.wv.get_vecattr(word, "sample_int") / 2**32
        assert ours.arrays.keep_threshold[i] / 2**32 == pytest.approx(chance, abs=1e-9)
    assert ours.arrays.keep_threshold.min() < 0.7 * 2**32


def test_words_may_stay_unsorted(sentences):
    models = pytest.importorskip("gensim.models")
    settings = {"sorted_vocab": 0, "min_count": 40, "hs": 1, "negative": 0, **SMALL}
    pair = Word2Vec(sentences, **settings), models.Word2Vec(sentences, **settings)
    assert pair[0].wv.index_to_key == pair[1].wv.index_to_key
    assert counts_of(pair[0]) == counts_of(pair[1])
    for model in pair:
        model.build_vocab([["new"] * 50, *sentences], update=True)
    assert pair[0].wv.index_to_key == pair[1].wv.index_to_key


def test_a_trim_rule_keeps_and_drops(sentences):
    text = [*sentences, ["rare", "rarer"]]
    model = Word2Vec(**SMALL)
    model.build_vocab(text, trim_rule=rule)
    assert "rare" in model.wv
    assert not {"rarer", "c1"} & set(model.wv.index_to_key)
    model.build_vocab(text)
    assert "rare" not in model.wv
    assert "c1" in model.wv
    assert len(Word2Vec(text, trim_rule=lambda *_: None, **SMALL).wv) == len(model.wv)


def test_a_wrong_trim_rule_is_an_error(sentences):
    with pytest.raises(UsageError) as caught:
        Word2Vec(sentences, trim_rule=lambda *_: "keep", **SMALL)
    assert str(caught.value).startswith(
        "trim_rule must return 0 (default), 1 (discard) or 2 (keep), got 'keep' for "
    )
    with pytest.raises(UsageError, match="trim_rule must be a function or None, got 2"):
        Word2Vec(trim_rule=2)
    with pytest.raises(CorpusError, match="trim_rule and min_count keep none of 128 distinct"):
        Word2Vec(sentences, trim_rule=lambda *_: 1, **SMALL)


def test_a_vocabulary_is_built_from_frequencies(sentences):
    frequencies = {"c1": 9, 7: 30, "t1w1": 5, "rare": 4, "unseen": 0}
    model = Word2Vec(**SMALL)
    model.build_vocab_from_freq(frequencies, corpus_count=3)
    assert counts_of(model) == {"7": 30, "c1": 9, "t1w1": 5}
    assert model.wv.index_to_key == ["7", "c1", "t1w1"]
    assert (model.corpus_count, model.corpus_total_words) == (3, 48)
    with pytest.raises(UsageError, match="there is no corpus: pass one to train"):
        model.train()
    summary = model.train(sentences)
    assert 0 < summary.n_trained + summary.n_subsampled < summary.n_tokens_read * 2


@pytest.mark.parametrize(
    ("frequencies", "kind", "message"),
    [
        ({}, CorpusError, "word_freq contains no words"),
        ({"a": 0}, CorpusError, "word_freq contains no words"),
        ({"a": 4}, CorpusError, "0 of 1 distinct words occur at least 5 times "
         "(most frequent: 'a', 4 times); lower min_count"),
        ({"a": -1}, UsageError, "the count of 'a' must be at least 0, got -1"),
        ({"a": 1.5}, UsageError, "the count of 'a' must be an integer, got 1.5"),
        ({None: 9}, UsageError, "a word must be a string or an integer, got None"),
    ],
)  # fmt: skip
def test_impossible_frequencies_are_an_error(frequencies, kind, message):
    with pytest.raises(kind) as caught:
        Word2Vec().build_vocab_from_freq(frequencies)
    assert str(caught.value) == message


# ---- sums of contexts ----


@pytest.mark.parametrize("objective", [{}, {"hs": 1}, {"hs": 1, "negative": 5}, {"softmax": True}])
def test_contexts_can_be_summed(sentences, objective):
    mean = Word2Vec(sentences, **objective, **SMALL)
    total = Word2Vec(sentences, cbow_mean=0, **objective, **SMALL)
    assert (mean.cbow_mean, total.cbow_mean) == (1, 0)
    assert not same_bits(mean, total)
    both = [Word2Vec(sentences, sg=1, cbow_mean=n, **objective, **SMALL) for n in (0, 1)]
    assert same_bits(*both)


@pytest.mark.filterwarnings("ignore:nothing was trained")
@pytest.mark.parametrize("alpha", [0, 1e-5])
def test_min_alpha_is_at_most_alpha_where_only_that_is_given(sentences, alpha):
    model = Word2Vec(alpha=alpha, min_count=1, **SMALL)
    assert model.min_alpha == alpha
    model.build_vocab(sentences)
    before = model.wv.vectors.copy()
    model.train(sentences)
    assert np.array_equal(model.wv.vectors, before) == (alpha == 0)
