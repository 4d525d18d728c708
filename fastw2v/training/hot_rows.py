"""The rows that each of several workers replicates, as collect/replicas.h tells."""

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.training.arrays import NO_HOT_ROWS, HotRows, ModelArrays
from fastw2v.training.merging import gains, kept_counts, row_shares
from fastw2v.training.objectives import HotRowCounts
from fastw2v.training.parameters import Parameters

# Below so many tokens an epoch the rows of words are shared all the same: with private ones,
# exchanged every 2,000 centres and in blocks of 16 x 16, the loss of two threads' first epoch was
# 1.0 % above one thread's at 1 M tokens and 0.7 % at 4 M, with shared ones 0.2 and 0.1 %.
PRIVATE_FROM_TOKENS = 4_000_000
# Exchanges of each worker in an epoch at least: with one every 500 centres the loss after 5 epochs
# of CBOW with hierarchical softmax, 16 workers, was 1.1 % above one worker's at 0.1 M tokens and
# 1.4 % at 0.8 M; so it is 0.1 % below and 0.1 % above.
EXCHANGES_PER_EPOCH = 1_000


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
    hot = parameters.objective_record.hot_rows
    if n_workers < 2 or hot is None:
        return NO_HOT_ROWS
    if n_tokens < PRIVATE_FROM_TOKENS:
        if not hot.small_outputs:
            return NO_HOT_ROWS
        hot = hot._replace(inputs=0, outputs=hot.small_outputs)
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
    order = slice(None, None, parameters.objective_record.output_order)
    of_outputs = of_outputs[order][: hot.outputs]
    interval = np.empty(len(of_outputs), np.int64)
    _core.sync_intervals(interval)
    rate = parameters.mode.effective_rate * parameters.first_rate
    shares = gains(of_outputs * tokens * interval, rate, n_workers)
    return np.ascontiguousarray(shares[order])
