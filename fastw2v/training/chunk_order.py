"""The order in which an epoch visits the corpus."""

import numpy as np
from numpy.typing import NDArray

from fastw2v.training.parameters import Parameters

# Neighbours stay together in a corpus of more chunks, so that what a disk reads at once grows with
# the corpus: 1 MB of word ids at a billion tokens.
RUNS = 4096


def is_shuffled(parameters: Parameters, n_tokens: int) -> bool:
    """Return whether epochs of so many tokens are visited in random order."""
    return n_tokens >= parameters.objective_record.shuffled_from_tokens


def chunk_order(seed: int, epoch: int, n_chunks: int, shuffled: bool = True) -> NDArray[np.int64]:
    """Return the (n_chunks,) numbers of an epoch's chunks in the order in which to train them.

    Another random one for each epoch: neighbouring text is alike, and rows that see it all at once
    follow it, which cost CBOW 1.5 points of analogies (benchmarks/NOTES.md).
    epoch: counted from 0.  shuffled: else in their own order; see is_shuffled.
    """
    if not shuffled:
        return np.arange(n_chunks)
    n_each = -(-n_chunks // RUNS)
    starts = np.arange(0, n_chunks, n_each)
    draws = np.random.SeedSequence([seed, epoch, 1]).generate_state(len(starts), np.uint64)
    runs = starts[np.argsort(draws, kind="stable")]
    chunks = (runs[:, None] + np.arange(n_each)).ravel()
    return chunks[chunks < n_chunks]
