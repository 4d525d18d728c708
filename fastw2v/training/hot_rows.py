"""The rows that each of several workers keeps private meanwhile, as hot_rows.h tells."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v.training.arrays import NO_HOT_ROWS, HotRows, ModelArrays
from fastw2v.training.merging import gains, kept_counts, row_shares
from fastw2v.training.parameters import Parameters


class HotRowCounts(NamedTuple):
    """How many rows of each matrix, the most frequent ones, and the centres between exchanges."""

    inputs: int
    outputs: int
    centres: int


# What all threads write stops them from scaling. With two threads, ns a kept word with none private
# and with these: skip-gram 123 and 109, CBOW 184 and 156 (with twice as many), with hierarchical
# softmax 705 and 380, 560 and 204. With 16 threads on 16 cores of an Intel CPU, M words/s:
# skip-gram 31 and 41, CBOW 32 and 49, with hierarchical softmax 2.9 and 18, 2.7 and 29. Twice as
# many rows of words were x0.88 there, and with two cores far apart x0.97: the copies push the rest
# out of L2.
HOT_ROWS = {
    "ns": HotRowCounts(128, 64, 64),
    "hs": HotRowCounts(64, 512, 500),
}
# Below so many tokens an epoch the rows of words are shared all the same: with private ones,
# exchanged every 2,000 centres and in blocks of 16 x 16, the loss of two threads' first epoch was
# 1.0 % above one thread's at 1 M tokens and 0.7 % at 4 M, with shared ones 0.2 and 0.1 %.
PRIVATE_FROM_TOKENS = 4_000_000
# Exchanges of each worker in an epoch at least: with one every 500 centres the loss after 5 epochs
# of CBOW with hierarchical softmax, 16 workers, was 1.1 % above one worker's at 0.1 M tokens and
# 1.4 % at 0.8 M; so it is 0.1 % below and 0.1 % above.
EXCHANGES_PER_EPOCH = 1_000
# The part of its way that a prediction moves a row, over the learning rate, by what is trained;
# found by trying: with a third of it 16 workers of hierarchical softmax diverge at four times the
# default rate, where one, and 48 with this, do not.
STIFFNESS = {"sg-ns": 0.3, "cbow-ns": 0.3, "sg-hs": 0.03, "cbow-hs": 0.1}


def hot_rows(
    parameters: Parameters,
    arrays: ModelArrays,
    n_workers: int,
    n_tokens: int,
    n_contexts: float,
) -> HotRows:
    """Return the rows that each worker keeps private, and the share of its changes that it gives.

    Input rows, which are exchanged more seldom, get the mean of the changes.
    n_tokens: of an epoch.  n_contexts: expected of a token.
    """
    hot = HOT_ROWS.get(parameters.objective)
    if n_workers < 2 or hot is None:
        return NO_HOT_ROWS
    if n_tokens < PRIVATE_FROM_TOKENS:
        if parameters.objective == "ns":
            return NO_HOT_ROWS
        hot = hot._replace(inputs=0)
    often = max(n_tokens // (EXCHANGES_PER_EPOCH * n_workers), 1)
    hot = hot._replace(centres=min(hot.centres, often))
    n_inputs = min(hot.inputs, len(arrays.in_rows))
    return HotRows(
        np.full(n_inputs, 1 / n_workers, np.float32),
        output_shares(parameters, arrays, n_workers, n_contexts, hot),
        hot.centres,
    )


def output_shares(
    parameters: Parameters,
    arrays: ModelArrays,
    n_workers: int,
    n_contexts: float,
    hot: HotRowCounts,
) -> NDArray[np.float32]:
    """Return the share of its change of each private output row that a worker gives."""
    counts = np.maximum(arrays.counts, 1)  # a model may know none
    tokens = hot.centres * counts.sum() / kept_counts(arrays, counts).sum()
    _, of_outputs = row_shares(parameters, arrays, counts, n_contexts)
    order = slice(None, None, -1 if parameters.objective == "hs" else 1)  # the tree's top is last
    of_outputs = of_outputs[order][: hot.outputs]
    rank, n = np.arange(len(of_outputs)), len(of_outputs)
    sat_out = np.where(rank < n // 16, 1, np.where(rank < n // 4, 4, 16))  # as in hot_rows.h
    mode = f"{'sg' if parameters.sg else 'cbow'}-{parameters.objective}"
    rate = STIFFNESS[mode] * parameters.first_rate
    shares = gains(of_outputs * tokens * sat_out, rate, n_workers)
    return np.ascontiguousarray(shares[order])
