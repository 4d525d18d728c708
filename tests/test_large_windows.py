"""Windows of a whole basket: the defaults hold for these too."""

import numpy as np
import pytest

from fastw2v import Word2Vec


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
