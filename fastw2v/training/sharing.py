"""How far several workers that each change a row from the same state may move it together."""

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.sampling import HuffmanPaths, noise_probabilities
from fastw2v.training.arrays import NO_REPLICATED_ROWS, ModelArrays, ReplicatedRows
from fastw2v.training.objectives import ReplicaCounts
from fastw2v.training.parameters import Parameters

# A row that changes often is where it wants to be after every worker's turn, and the sum of n
# such changes would overshoot n times: four workers without this came to numbers that are not
# finite. It moves by the share 1 - exp(-rate * predictions); the sum is held to 1.5 whole moves.
MAX_MOVES = 1.5
WORDS_AT_A_TIME = 1 << 16  # whose paths are looked at, so that it needs little memory


def kept_counts(arrays: ModelArrays, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the tokens of each word that subsampling is expected to keep: (n_words,) float64."""
    return counts * (arrays.keep_threshold / 2.0**32)


def kept_share(arrays: ModelArrays) -> float:
    """Return the share of all tokens that subsampling is expected to keep."""
    counts = np.maximum(arrays.counts, 1)  # a model may know none
    return float(kept_counts(arrays, counts).sum() / counts.sum())


def seen_count(arrays: ModelArrays) -> float:
    """Return how often subsampling is expected to keep the median word in an epoch."""
    return float(np.median(kept_counts(arrays, arrays.counts)))


def row_shares(
    parameters: Parameters, arrays: ModelArrays, counts: NDArray[np.int64], n_contexts: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the predictions a token brings to each input row and each output row on average.

    counts: (n_words,) int64, not all 0.  n_contexts: context words of a token on average.
    Returns (n_words,) and (n_outputs,) float64, both of all tokens, kept or not.
    """
    of_words = kept_counts(arrays, counts) / counts.sum()
    n_pairs = n_contexts if parameters.sg else 1.0
    of_outputs = of_words * n_pairs * parameters.objective_record.target_terms
    if arrays.paths is not None:
        of_outputs = _through_nodes(arrays.paths, of_outputs)
    if parameters.n_negative:
        noise = noise_probabilities(counts, parameters.ns_exponent)
        of_outputs = of_outputs + of_outputs.sum() * parameters.n_negative * noise
    return of_words * n_contexts, of_outputs


def _through_nodes(paths: HuffmanPaths, of_words: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each inner node the sum over the words whose paths have it."""
    steps, begin = paths.steps, paths.begin
    of_nodes = np.zeros(len(of_words) - 1)
    for first in range(0, len(of_words), WORDS_AT_A_TIME):
        words = slice(first, min(first + WORDS_AT_A_TIME, len(of_words)))
        nodes = steps[begin[words.start] : begin[words.stop]] >> 1
        through = np.repeat(of_words[words], np.diff(begin[words.start : words.stop + 1]))
        of_nodes += np.bincount(nodes, through, len(of_nodes))
    return of_nodes


def gains(predictions: NDArray[np.float64], rate: float, n_workers: int) -> NDArray[np.float32]:
    """Return what the sum of the workers' changes of each row is multiplied by, in (0, 1].

    predictions: (n_rows,) float64, of one worker between two merges.  rate: of each, the part
    of its way that a row goes.
    """
    moved = np.maximum(-np.expm1(-rate * predictions), 1e-9)
    return np.minimum(1.0, MAX_MOVES / (n_workers * moved)).astype(np.float32)


# Below so many tokens an epoch the rows of words are shared all the same: with private ones,
# exchanged every 2,000 centres and in blocks of 16 x 16, the loss of two threads' first epoch was
# 1.0 % above one thread's at 1 M tokens and 0.7 % at 4 M, with shared ones 0.2 and 0.1 %.
PRIVATE_FROM_TOKENS = 4_000_000
# Exchanges of each worker in an epoch at least: with one every 500 centres the loss after 5 epochs
# of CBOW with hierarchical softmax, 16 workers, was 1.1 % above one worker's at 0.1 M tokens and
# 1.4 % at 0.8 M; so it is 0.1 % below and 0.1 % above.
EXCHANGES_PER_EPOCH = 1_000


def replicated_rows(
    parameters: Parameters,
    arrays: ModelArrays,
    n_workers: int,
    n_tokens: int,
    n_contexts: float,
) -> ReplicatedRows:
    """Return the rows that each worker keeps private, and the share of its changes that it gives.

    Input rows, which are exchanged more seldom, get the mean of the changes.
    n_tokens: of an epoch.  n_contexts: expected of a token.
    """
    replicas = parameters.objective_record.replicated_rows
    if n_workers < 2 or replicas is None:
        return NO_REPLICATED_ROWS
    if n_tokens < PRIVATE_FROM_TOKENS:
        if not replicas.small_outputs:
            return NO_REPLICATED_ROWS
        replicas = replicas._replace(inputs=0, outputs=replicas.small_outputs)
    often = max(n_tokens // (EXCHANGES_PER_EPOCH * n_workers), 1)
    replicas = replicas._replace(centres=min(replicas.centres, often))
    n_inputs = min(replicas.inputs, len(arrays.in_rows))
    return ReplicatedRows(
        np.full(n_inputs, 1 / n_workers, np.float32),
        output_shares(parameters, arrays, n_workers, n_contexts, replicas),
        replicas.centres,
    )


def output_shares(
    parameters: Parameters,
    arrays: ModelArrays,
    n_workers: int,
    n_contexts: float,
    replicas: ReplicaCounts,
) -> NDArray[np.float32]:
    """Return the share of its change of each private output row that a worker gives."""
    counts = np.maximum(arrays.counts, 1)  # a model may know none
    tokens = replicas.centres * counts.sum() / kept_counts(arrays, counts).sum()
    _, of_outputs = row_shares(parameters, arrays, counts, n_contexts)
    order = slice(None, None, parameters.objective_record.output_order)
    of_outputs = of_outputs[order][: replicas.outputs]
    interval = np.empty(len(of_outputs), np.int64)
    _core.sync_intervals(interval)
    rate = parameters.mode.effective_rate * parameters.first_rate
    shares = gains(of_outputs * tokens * interval, rate, n_workers)
    return np.ascontiguousarray(shares[order])
