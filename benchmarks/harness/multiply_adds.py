"""Count the multiply-adds that the block step needs for its pairs.

A pair of an input row and an output row needs three times dim: the score, the change of the output
and the change of the input.  Per block of centres, with negative sampling:

    skip-gram   3 dim (positive pairs + inputs that take part * negative samples of the block)
    CBOW        3 dim (centres + centres * negative samples of the block) + 2 dim (context words)

and with hierarchical softmax, per centre:

    skip-gram   3 dim (context words * inner nodes on the path)
    CBOW        3 dim (inner nodes on the path) + 2 dim (context words)

An input takes part if it is in the window of at least one centre of the block.  2 dim (context
words) is the sum of the context rows and the addition of the change to each of them.  Products
that only pad a tile, the sigmoid and random draws are not counted.

The windows are drawn here from the same distribution, not read from the kernels.  The result is
scaled by the kernels' count of predictions.  Changes to the kernels therefore cannot affect it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastw2v.sampling import keep_probabilities
from fastw2v.training.blocks import full_block
from fastw2v.training.parameters import Parameters, window_sides

REPLAY_TOKENS = 200_000  # enough to know the share of inputs that take part to 0.1 %


@dataclass(frozen=True)
class Kept:
    """Tokens left after subsampling, all of them centres.

    word_ids: (n,) int32.  begin, end: (n,) int64, range of each centre's window, with the centre.
    """

    word_ids: NDArray[np.int32]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def n_contexts(self) -> NDArray[np.int64]:
        """Context words of each centre: (n,)."""
        return self.end - self.begin - 1

    @classmethod
    def draw(
        cls,
        word_ids: NDArray[np.int32],
        sentence_ends: NDArray[np.int64],
        counts: NDArray[np.int64],
        parameters: Parameters,
    ) -> "Kept":
        """Subsample the first tokens of a stream, and draw the window of each centre."""
        rng = np.random.default_rng(0)
        ids = word_ids[:REPLAY_TOKENS]
        is_kept = rng.random(len(ids)) < keep_probabilities(counts, parameters.sample)[ids]
        sentence = np.searchsorted(sentence_ends, np.flatnonzero(is_kept), "right")
        own = np.arange(len(sentence))
        shrink = rng.random(len(own)) if parameters.shrink_windows else 0
        left, right = (size - np.int64(shrink * size) for size in window_sides(parameters.window))
        first = np.searchsorted(sentence, sentence, "left")
        last = np.searchsorted(sentence, sentence, "right")
        return cls(ids[is_kept], np.maximum(own - left, first), np.minimum(own + right + 1, last))


def multiply_adds(
    kept: Kept, parameters: Parameters, path_lengths: NDArray[np.int64] | None
) -> tuple[int, int]:
    """Return (predictions, multiply-adds) summed over all centres.

    path_lengths: (n_words,) int64, inner nodes on each word's path; hierarchical softmax only.
    """
    contexts, dim = kept.n_contexts, parameters.vector_size
    centres = contexts > 0
    n_predictions = int(contexts.sum() if parameters.sg else centres.sum())
    sums = 0 if parameters.sg else 2 * dim * int(contexts.sum())
    if path_lengths is not None:
        inputs = contexts if parameters.sg else centres
        return n_predictions, 3 * dim * int((inputs * path_lengths[kept.word_ids]).sum()) + sums
    block = full_block(parameters)
    n_inputs = inputs_that_take_part(kept, block.centres) if parameters.sg else n_predictions
    return n_predictions, 3 * dim * (n_predictions + n_inputs * block.noise) + sums


def inputs_that_take_part(kept: Kept, n_centres: int) -> int:
    """Return the total number of inputs over all blocks of n_centres consecutive centres."""
    own = np.arange(len(kept.begin))
    block = own // n_centres
    reach = int(max((own - kept.begin).max(initial=0), (kept.end - own - 1).max(initial=0)))
    takes_part = np.zeros((int(block.max(initial=-1)) + 1, n_centres + 2 * reach), bool)
    for offset in (*range(-reach, 0), *range(1, reach + 1)):
        context = own + offset
        valid = (kept.begin <= context) & (context < kept.end)
        column = context - block * n_centres + reach
        takes_part[block[valid], column[valid]] = True
    return int(takes_part.sum())
