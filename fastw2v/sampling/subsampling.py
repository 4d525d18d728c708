"""Subsampling of frequent words."""

import numpy as np
from numpy.typing import NDArray

from fastw2v.errors import UsageError

# gensim's factor from sample >= 1 to t in occurrences. Meant to keep words up to that count in
# full, for which it would have to divide; taken as it is, for the same draws at the same setting.
GENSIM_COUNT_FACTOR = (3 + 5**0.5) / 2


def keep_probabilities(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Return the chance that each word survives subsampling.

    counts: (n_words,) int64, not all 0.  sample: float >= 0, typically 1e-3; 0 keeps every token;
    from 1 on t is int(2.618 sample) occurrences, as in gensim.
    Returns (n_words,) float64 in (0, 1].  Raises UsageError if sample < 0.
    Reference: Mikolov et al. 2013 (1310.4546), section 2.3, with the form word2vec.c uses:
    sqrt(t / f) + t / f, f being the word's share of all tokens.
    """
    if sample < 0:
        raise UsageError(f"sample must be at least 0, got {sample}")
    if sample == 0:
        return np.ones(len(counts))
    t = sample * counts.sum() if sample < 1 else int(sample * GENSIM_COUNT_FACTOR)
    ratio = t / np.maximum(counts, 1)
    kept = np.minimum(1.0, np.sqrt(ratio) + ratio)
    return np.where(counts > 0, kept, 1.0)


def keep_thresholds(probabilities: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return the greatest 32-bit draw that keeps a token: P(draw <= threshold) = probability.

    probabilities: (n_words,) float64 in (0, 1].  Returns (n_words,) uint32; 1 is exact.
    """
    thresholds = np.rint(probabilities * 2.0**32) - 1
    return thresholds.clip(0, 2.0**32 - 1).astype(np.uint32)
