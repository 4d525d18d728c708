"""The noise distribution of negative sampling and its alias table."""

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core

NOISE_POWER = 0.75  # Mikolov et al. 2013 (1310.4546), section 2.2

ALIAS_COLUMN = np.dtype([("threshold", np.uint32), ("alias", np.int32)])


def noise_probabilities(
    counts: NDArray[np.int64], power: float = NOISE_POWER
) -> NDArray[np.float64]:
    """Return the chance that each word is drawn as a noise word.

    counts: (n_words,) int64, not all 0.  power: any float; 0 is uniform.  A word that was never
    seen is never drawn.
    Returns (n_words,) float64 that sums to 1.
    Reference: Mikolov et al. 2013 (1310.4546), section 2.2.
    """
    seen = counts[counts > 0]
    most_drawn = seen.max() if power >= 0 else seen.min()  # no weight above 1 overflows
    weights = np.zeros(len(counts))
    weights[counts > 0] = np.power(seen / most_drawn, power)
    return np.asarray(weights / weights.sum())


def alias_table(probabilities: NDArray[np.float64]) -> NDArray[np.void]:
    """Return Walker's alias table of a distribution: 8 bytes a word, one draw a sample.

    probabilities: (n_words,) float64 >= 0 that sums to 1.
    Returns (n_words,) of ALIAS_COLUMN: a draw falls on a column, and stays there if its 32
    further bits are <= threshold, else goes to alias.
    Reference: Vose 1991, IEEE Transactions on Software Engineering 17(9).
    """
    n_words = len(probabilities)
    columns = np.empty(n_words, ALIAS_COLUMN)
    _core.build_alias(probabilities * n_words, np.empty(n_words, np.int32), columns)
    return columns
