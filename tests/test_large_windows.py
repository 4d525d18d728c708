"""Windows of a whole basket: the defaults hold for these too."""

import re

import numpy as np
import pytest

from fastw2v import Word2Vec
from fastw2v.corpus import Spool


@pytest.fixture(scope="module")
def baskets():
    """Baskets of 1 to 60 of 1,000 items, a few of which lie in most of them."""
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, 1001)
    chances /= chances.sum()
    lengths = rng.geometric(0.08, 4000).clip(1, 60).tolist()
    drawn = [rng.choice(1000, n, p=chances, replace=False) for n in lengths]
    return [[str(item) for item in basket] for basket in drawn]


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


LARGE = [10**6, 2**31 - 1, 2**31, 2**63 - 1, (10**6, 0), (3, 2**63 - 1)]


@pytest.mark.parametrize("window", LARGE)
@pytest.mark.parametrize("shrink_windows", [True, False])
@pytest.mark.parametrize(
    "mode",
    [
        {"sg": 1},
        {"sg": 0},
        {"sg": 1, "hs": 1},
        {"sg": 0, "hs": 1},
        {"sg": 1, "hs": 1, "negative": 5},
        {"softmax": True},
    ],
)
def test_a_large_window_needs_what_the_longest_sentence_needs(window, shrink_windows, mode):
    """Memory and time for the window itself would be terabytes and hours."""
    text = [["a", "b", "c", "d"], ["b", "c", "a"], ["d", "a"]] * 20
    settings = {"min_count": 1, "vector_size": 4, "workers": 1, "sample": 0, "epochs": 1}
    model = Word2Vec(text, window=window, shrink_windows=shrink_windows, **mode, **settings)
    sides = window if isinstance(window, tuple) else (window, window)
    reached = Word2Vec(text, window=tuple(min(side, 3) for side in sides), shrink_windows=False,
                       **mode, **settings)  # fmt: skip
    if shrink_windows is False or 3 not in sides:  # else a short reach is drawn at times
        assert model.summary.n_predictions == reached.summary.n_predictions


@pytest.mark.filterwarnings("ignore:learning rates above")
@pytest.mark.parametrize(
    "mode",
    [
        {"sg": 1},
        {"sg": 0},
        {"sg": 1, "hs": 1},
        {"sg": 0, "hs": 1},
        {"sg": 1, "hs": 1, "negative": 5},
    ],
)
def test_a_long_sentence_does_not_diverge_in_a_large_window(mode):
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, 501)
    words = [str(word) for word in rng.choice(500, 3000, p=chances / chances.sum())]
    short = [words[i : i + 6] for i in range(0, 3000, 6)]
    for text in ([words], [*short, words]):
        model = Word2Vec(text, window=10**6, vector_size=16, workers=1, epochs=1, **mode)
        assert np.linalg.norm(model.wv.vectors, axis=1).max() < 60


ONE_EPOCH = {
    "window": 10**6,
    "vector_size": 16,
    "sample": 0,
    "min_count": 1,
    "epochs": 1,
    "workers": 1,
}


@pytest.fixture(scope="module")
def mostly_short():
    """Many sentences of about 8 words, and one of 3,000."""
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, 501)
    words = [str(word) for word in rng.choice(500, 27_000, p=chances / chances.sum())]
    short = [words[i : i + 8] for i in range(0, 24_000, 8)]
    return [*short[:1500], words[24_000:], *short[1500:]]


@pytest.mark.filterwarnings("ignore:learning rates above")
@pytest.mark.parametrize("alpha", [None, 0.1])
@pytest.mark.parametrize(
    "mode",
    [
        {"sg": 1},
        {"sg": 1, "hs": 1, "window": 50},
        {"sg": 0},
        {"sg": 0, "hs": 1},
        {"sg": 0, "cbow_mean": 0},
        {"sg": 0, "cbow_mean": 0, "window": 50},
        {"sg": 0, "cbow_mean": 0, "hs": 1},
        {"sg": 0, "cbow_mean": 0, "cbow_update": "word2vec"},
    ],
)
def test_one_long_sentence_among_short_ones_does_not_diverge(mostly_short, mode, alpha):
    """gensim's largest norms are 0.2 to 6 here."""
    model = Word2Vec(mostly_short, alpha=alpha, **ONE_EPOCH | mode)
    assert np.linalg.norm(model.wv.vectors, axis=1).max() < 8


def test_one_long_sentence_does_not_diverge_with_the_full_softmax(mostly_short):
    text = [*mostly_short[1400:1500], mostly_short[1500][:500]]
    for mode in ({"sg": 1}, {"sg": 0}, {"cbow_mean": 0}):
        model = Word2Vec(text, softmax=True, **ONE_EPOCH | mode)
        assert np.linalg.norm(model.wv.vectors, axis=1).max() < 8


@pytest.mark.parametrize("alpha", [0.1, 0.2])
@pytest.mark.parametrize("window", [10, 100])
def test_sums_of_many_contexts_do_not_diverge_with_the_full_softmax(mostly_short, window, alpha):
    """From 1.6 predictions x learning rate in a block on, sums of 100 contexts do."""
    words = mostly_short[1500]
    text = [words[i : i + 100] for i in range(0, 3000, 100)] * 4
    settings = ONE_EPOCH | {"window": window, "alpha": alpha}
    model = Word2Vec(text, sg=0, softmax=True, cbow_mean=0, **settings)
    assert np.linalg.norm(model.wv.vectors, axis=1).max() < 8


def test_a_step_takes_no_more_contexts_of_a_long_sentence_than_twice_the_mean(mostly_short):
    blocks = Word2Vec(mostly_short, sg=1, **ONE_EPOCH).summary.blocks
    assert re.search(r", [12]\d contexts a step", blocks)


def test_a_spool_knows_its_longest_sentence(monkeypatch):
    monkeypatch.setattr("fastw2v.corpus.spool.ENDS_AT_A_TIME", 3)
    for lengths in ([1], [4, 1, 2], [1, 1, 1, 9, 2], [1, 2, 3, 1, 1, 1, 7]):
        ends = np.cumsum(lengths)
        spool = Spool.from_arrays(np.zeros(ends[-1], np.int32), ends)
        assert spool.longest_sentence() == max(lengths)
