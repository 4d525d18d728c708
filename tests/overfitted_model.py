"""A model whose loss on other text rises after a few epochs."""

from small_corpus import topic_sentences

from fastw2v import Word2Vec

# A word for each of many topics: epoch after epoch learns the few sentences by heart.
FEW = topic_sentences(60, seed=1)
OTHERS = topic_sentences(300, seed=2)
OVERFIT = {
    "vector_size": 32, "min_count": 1, "alpha": 0.1, "min_alpha": 0.1, "sample": 0,
    "workers": 1, "epochs": 30, "sg": 1,
}  # fmt: skip


def overfitted(**options):
    """Train it."""
    return Word2Vec(FEW, **OVERFIT | {"validation": OTHERS} | options)
