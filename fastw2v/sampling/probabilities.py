"""The noise distribution and the subsampling probabilities, from word counts."""

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.errors import UsageError

NOISE_POWER = 0.75  # Mikolov et al. 2013 (1310.4546), section 2.2

ALIAS_COLUMN = np.dtype([("threshold", np.uint32), ("alias", np.int32)])


def noise_probabilities(
    counts: NDArray[np.int64], power: float = NOISE_POWER
) -> NDArray[np.float64]:
    """Return the probability of drawing each word as a negative sample.

    counts: (n_words,) int64, not all 0.  Words with count 0 get probability 0.
    power: exponent of the counts, any float; 0 gives the uniform distribution.
    Returns (n_words,) float64 that sums to 1.
    Reference: Mikolov et al. 2013 (1310.4546), section 2.2.
    """
    seen = counts[counts > 0]
    most_drawn = seen.max() if power >= 0 else seen.min()  # no weight above 1 overflows
    weights = np.zeros(len(counts))
    weights[counts > 0] = np.power(seen / most_drawn, power)
    return np.asarray(weights / weights.sum())


def alias_table(probabilities: NDArray[np.float64]) -> NDArray[np.void]:
    """Return Walker's alias table of a distribution: 8 bytes per word, one draw per sample.

    probabilities: (n_words,) float64 >= 0 that sums to 1.
    Returns (n_words,) of ALIAS_COLUMN.  A sample picks a column at random, then compares 32 more
    random bits with its threshold: the column's own word if bits <= threshold, else its alias.
    Reference: Vose 1991, IEEE Transactions on Software Engineering 17(9).
    """
    n_words = len(probabilities)
    columns = np.empty(n_words, ALIAS_COLUMN)
    _core.build_alias(probabilities * n_words, np.empty(n_words, np.int32), columns)
    return columns


# gensim multiplies a sample >= 1 by this factor to get t in occurrences.  To keep all words up to
# the count `sample`, as intended, it would have to divide.  Copied as is: the same setting must
# subsample as it does in gensim.
GENSIM_COUNT_FACTOR = (3 + 5**0.5) / 2
MAX_COUNT = 2.0**63  # no word has more occurrences


def keep_probabilities(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Return the probability that each word survives subsampling.

    counts: (n_words,) int64, not all 0.
    sample: threshold, float >= 0, typically 1e-3; 0 keeps every token.  Below 1, t = sample is a
    share of all tokens.  From 1 on, t is int(2.618 sample) occurrences, as in gensim.
    Returns (n_words,) float64 in (0, 1].  Raises UsageError if sample < 0.
    Reference: Mikolov et al. 2013 (1310.4546), section 2.3, in the form that word2vec.c uses:
    sqrt(t / f) + t / f, where f is the word's share of all tokens.
    """
    if sample < 0:
        raise UsageError(f"sample must be at least 0, got {sample}")
    if sample == 0:
        return np.ones(len(counts))
    t = sample * counts.sum() if sample < 1 else int(min(sample, MAX_COUNT) * GENSIM_COUNT_FACTOR)
    ratio = t / np.maximum(counts, 1)
    keep_prob = np.minimum(1.0, np.sqrt(ratio) + ratio)
    return np.where(counts > 0, keep_prob, 1.0)


def keep_thresholds(probabilities: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return the largest 32-bit draw that keeps a token: P(draw <= threshold) = probability.

    probabilities: (n_words,) float64 in (0, 1].
    Returns (n_words,) uint32, rounded to 2**-32; a probability of 1 is exact.
    """
    thresholds = np.rint(probabilities * 2.0**32) - 1
    return thresholds.clip(0, 2.0**32 - 1).astype(np.uint32)
