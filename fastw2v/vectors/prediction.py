"""Predict the centre word from context words."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import as_list, check_integer
from fastw2v.vectors.search import top_rows


def context_row(rows: NDArray[np.float32], is_mean: bool) -> NDArray[np.float32]:
    """Return the hidden layer, (dim,): the mean or sum of the (n, dim) context rows, n >= 1."""
    return np.asarray(rows.mean(axis=0) if is_mean else rows.sum(axis=0))


def word_probabilities(
    hidden: NDArray[np.float32], outputs: NDArray[np.float32], bias: NDArray[np.float32] | None
) -> NDArray[np.float64]:
    """Return softmax(outputs @ hidden + bias), (n_words,) float64.

    hidden: (dim,).  outputs: (n_words, dim).  bias: (n_words,) or None.
    """
    scores = np.asarray(outputs @ hidden, np.float64)
    if bias is not None:
        scores += bias
    likely = np.exp(scores - scores.max())
    return np.asarray(likely / likely.sum())


def predicted_words(
    model: Any, context_words: Iterable[str | int], topn: int
) -> list[tuple[str, float]] | None:
    """Return the topn most probable centre words as (word, probability) pairs.

    Returns None, with a warning, if no context word is in the vocabulary, as in gensim.
    """
    check_integer("topn", topn, 0)
    wv = model.wv
    words = as_list(context_words, "context_words_list", "words")
    rows = [wv.get_index(word) for word in words if word in wv]
    if not rows:
        warnings.warn("none of the context words is in the vocabulary", stacklevel=3)
        return None
    hidden = context_row(wv.vectors[rows], bool(model.cbow_mean))
    outputs, bias = model.syn1neg, model.arrays.out_bias
    bias = None if bias is None else bias[-len(outputs) :]  # those of inner nodes come first
    chances = word_probabilities(hidden, outputs, bias)
    top = top_rows(chances, topn)
    return [(wv.index_to_key[row], float(chances[row])) for row in top.tolist()]
