"""Windows of a whole basket: the defaults hold for these too, and stay what they are at 5."""

import numpy as np
import pytest

from fastw2v import Word2Vec
from fastw2v.training.model import kernel_settings
from fastw2v.training.parameters import (
    BFLOAT16_SKIPGRAM_BLOCK,
    DEFAULT_ALPHA,
    SKIPGRAM_BLOCK,
    Parameters,
)

BACKENDS = {
    "amx": BFLOAT16_SKIPGRAM_BLOCK,
    "avx512bf16": BFLOAT16_SKIPGRAM_BLOCK,
    "avx2": SKIPGRAM_BLOCK,
}


@pytest.fixture(scope="module")
def baskets():
    """Baskets of 1 to 60 of 1,000 items, a few of which lie in most of them."""
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, 1001)
    chances /= chances.sum()
    lengths = rng.geometric(0.08, 4000).clip(1, 60).tolist()
    drawn = [rng.choice(1000, n, p=chances, replace=False) for n in lengths]
    return [[str(item) for item in basket] for basket in drawn]


@pytest.mark.parametrize("objective", ["ns", "hs"])
def test_the_default_rate_of_cbow_falls_with_the_contexts_above_those_of_window_5(objective):
    def rate(window, **settings):
        return Parameters(objective=objective, window=window, **settings).first_rate

    rates = [rate(window) for window in (2, 5, 10, 40)]
    default = DEFAULT_ALPHA[False, objective]
    assert rates[:2] == [default] * 2
    assert rates[2] == pytest.approx(default * (6 / 11) ** 0.5)
    assert rates[1] > rates[2] > rates[3]
    assert rate(5, shrink_windows=False) < rates[1]


@pytest.mark.parametrize("settings", [{"sg": True}, {"cbow_update": "word2vec"}, {"alpha": 0.1}])
def test_other_rates_do_not_depend_on_the_window(settings):
    near, far = Parameters(**settings), Parameters(window=75, **settings)
    assert near.first_rate == far.first_rate


def test_the_step_of_a_centre_follows_its_contexts_in_cbow_with_hierarchical_softmax_alone():
    mean = {"objective": "hs", "sg": False}
    assert Parameters(**mean).steps_by_contexts
    others = {"sg": True}, {"objective": "ns"}, {"cbow_mean": False}, {"cbow_update": "word2vec"}
    assert not any(Parameters(**mean | other).steps_by_contexts for other in others)
    steps = [kernel_settings(Parameters(**mean), 9, n).cbow_step for n in (1, 100)]
    assert steps == [1.0, pytest.approx(1 / 5.86, rel=0.001)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_blocks_of_skip_gram_hold_fewer_centres_where_each_draws_many_words(backend, monkeypatch):
    monkeypatch.setattr("fastw2v._core.backends", lambda: list(BACKENDS))
    whole = {"window": 75, "negative": 20, "shrink_windows": False}
    for settings in ({}, {"window": 10, "negative": 15}, {"window": 5, "negative": 20}):
        assert Parameters(sg=True, backend=backend, **settings).block_shape == BACKENDS[backend]
    assert Parameters(sg=True, backend=backend, **whole).block_shape.centres == 2
    assert Parameters(sg=True, backend=backend, window=10_000).block_shape.centres == 1
    asked = Parameters(sg=True, backend=backend, block_centres=9, **whole)
    assert asked.block_shape.centres == 9


def test_no_noise_word_of_a_block_stands_for_more_draws_than_train_well(monkeypatch):
    """On text skip-gram's 20 centres and 12 noise words diverged with window 10 and 15 noise words
    a pair, and CBOW's 16 and 16 with 20."""
    monkeypatch.setattr("fastw2v._core.backends", lambda: list(BACKENDS))

    def centres(sentence_tokens=60, **settings):
        parameters = Parameters(backend="avx512bf16", **{"sg": True} | settings)
        return kernel_settings(parameters, 68_000, sentence_tokens).block_centres

    assert centres() == BFLOAT16_SKIPGRAM_BLOCK.centres
    wide = {"window": 10, "negative": 15}
    assert centres(**wide) == 7
    assert centres(**wide, sentence_tokens=5) > 14
    assert centres(**wide, block_centres=20) == 20
    assert centres(sg=False, negative=10) == 48  # in six turns
    assert centres(sg=False, negative=20) == 24
    assert centres(sg=False, negative=20, objective="hs") == 16
    assert centres(window=75, negative=1000) == 1


@pytest.mark.parametrize("sg", [0, 1])
def test_whole_baskets_as_windows_train_at_the_default_rate(baskets, sg):
    model = Word2Vec(
        baskets,
        sg=sg,
        vector_size=32,
        window=max(map(len, baskets)),
        shrink_windows=False,
        sample=0,
        negative=20,
        workers=1,
        epochs=5,
    )
    losses = [epoch.loss for epoch in model.history]
    assert max(losses) < 21 * np.log(2)
    assert losses[-1] < losses[0]
    assert np.linalg.norm(model.wv.vectors, axis=1).mean() < 10
