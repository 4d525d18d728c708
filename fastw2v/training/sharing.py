"""Combine the changes of several workers to a row that each of them trained from the same state."""

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.sampling import HuffmanPaths, noise_probabilities
from fastw2v.training.arrays import NO_REPLICATED_ROWS, ModelArrays, ReplicatedRows
from fastw2v.training.objectives import ReplicaCounts
from fastw2v.training.parameters import Parameters

# A frequent row converges within one worker's round; adding n such changes overshoots n-fold (4
# workers diverged).  Each worker moves the row by 1 - exp(-rate * predictions) of the way to its
# optimum.  The sum is limited to this many whole ways.
MAX_MOVES = 1.5
WORDS_AT_A_TIME = 1 << 16  # words whose paths are expanded at once, to limit memory


def kept_counts(arrays: ModelArrays, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the expected tokens of each word after subsampling: (n_words,) float64."""
    return counts * (np.maximum(arrays.keep_threshold, 1) / 2.0**32)


def kept_share(arrays: ModelArrays) -> float:
    """Return the expected share of all tokens that subsampling keeps."""
    counts = np.maximum(arrays.counts, 1)  # a model may have no counts
    return float(kept_counts(arrays, counts).sum() / counts.sum())


def seen_count(arrays: ModelArrays) -> float:
    """Return the expected occurrences of the median word per epoch after subsampling."""
    return float(np.median(kept_counts(arrays, arrays.counts)))


def row_shares(
    parameters: Parameters, arrays: ModelArrays, counts: NDArray[np.int64], n_contexts: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean predictions per token on each input row and each output row.

    counts: (n_words,) int64, not all 0.  n_contexts: mean context words per token.
    Returns (n_words,) and (n_outputs,) float64, per token of the corpus, kept or not.
    """
    of_words = kept_counts(arrays, counts) / counts.sum()
    n_pairs = n_contexts if parameters.sg else 1.0
    of_targets = of_words * n_pairs * parameters.objective_record.target_terms
    of_outputs = []
    if arrays.paths is not None:
        of_outputs.append(_through_nodes(arrays.paths, of_targets))
    if parameters.objective_record.scores_words:
        of_outputs.append(of_targets)
    if parameters.n_negative:
        noise = noise_probabilities(counts, parameters.ns_exponent)
        of_outputs[-1] = of_targets + of_targets.sum() * parameters.n_negative * noise
    return of_words * n_contexts, np.concatenate(of_outputs)


def _through_nodes(paths: HuffmanPaths, of_words: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each inner node the sum over all words whose paths contain it."""
    steps, begin = paths.steps, paths.begin
    of_nodes = np.zeros(len(of_words) - 1)
    for first in range(0, len(of_words), WORDS_AT_A_TIME):
        words = slice(first, min(first + WORDS_AT_A_TIME, len(of_words)))
        nodes = steps[begin[words.start] : begin[words.stop]] >> 1
        through = np.repeat(of_words[words], np.diff(begin[words.start : words.stop + 1]))
        of_nodes += np.bincount(nodes, through, len(of_nodes))
    return of_nodes


def gains(predictions: NDArray[np.float64], rate: float, n_workers: int) -> NDArray[np.float32]:
    """Return the factor in (0, 1] that scales the sum of all workers' changes to each row.

    predictions: (n_rows,) float64, of one worker between two merges.
    rate: fraction of the way to its optimum that one prediction moves a row.
    Returns (n_rows,) float32.
    """
    moved = np.maximum(-np.expm1(-rate * predictions), 1e-9)
    return np.minimum(1.0, MAX_MOVES / (n_workers * moved)).astype(np.float32)


# Below this many tokens per epoch, all workers share the rows of words: replicas raised the loss of
# the first epoch by 0.7 % (benchmarks/NOTES.md, "Figures that stood in comments").
REPLICATED_FROM_TOKENS = 4_000_000
# Minimum syncs of each worker per epoch.  With fewer on a small corpus, the loss of 16 workers was
# 1.4 % above that of one (benchmarks/NOTES.md, "Figures that stood in comments").
SYNCS_PER_EPOCH = 1_000


def replicated_rows(
    parameters: Parameters,
    arrays: ModelArrays,
    n_workers: int,
    n_tokens: int,
    n_contexts: float,
) -> ReplicatedRows:
    """Return the replicated rows, and the share of each worker's change that is added to a row.

    Input rows are synced less often and get the mean of all workers' changes.
    n_tokens: tokens per epoch.  n_contexts: expected contexts per token.
    """
    replicas = parameters.objective_record.replicated_rows
    if n_workers < 2 or replicas is None:
        return NO_REPLICATED_ROWS
    if n_tokens < REPLICATED_FROM_TOKENS:
        if not replicas.small_outputs:
            return NO_REPLICATED_ROWS
        replicas = replicas._replace(inputs=0, outputs=replicas.small_outputs)
    often = max(n_tokens // (SYNCS_PER_EPOCH * n_workers), 1)
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
    """Return the share of a worker's change that is added to each replicated output row."""
    counts = np.maximum(arrays.counts, 1)  # a model may have no counts
    tokens = replicas.centres * counts.sum() / kept_counts(arrays, counts).sum()
    _, of_outputs = row_shares(parameters, arrays, counts, n_contexts)
    n_nodes, order = parameters.objective_record.n_nodes(len(counts)), slice(None)
    if n_nodes:  # the root has the last row
        of_outputs, order = of_outputs[:n_nodes], slice(None, None, -1)
    of_outputs = of_outputs[order][: replicas.outputs]
    interval = np.empty(len(of_outputs), np.int64)
    _core.sync_intervals(interval)
    rate = parameters.mode.effective_rate * parameters.first_rate
    shares = gains(of_outputs * tokens * interval, rate, n_workers)
    return np.ascontiguousarray(shares[order])
