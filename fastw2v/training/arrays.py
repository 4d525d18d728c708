"""The arrays that training writes and reads, laid out for the kernels."""

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.memory import allocate, mebibytes, needing
from fastw2v.base.threads import run_threads, usable_cores
from fastw2v.errors import UsageError
from fastw2v.sampling import (
    HuffmanPaths,
    alias_table,
    keep_probabilities,
    keep_thresholds,
    noise_probabilities,
)
from fastw2v.training.objectives import BlockShape
from fastw2v.training.parameters import (
    BOTH_BIASES,
    CONTEXTS_OF_MEAN,
    Contexts,
    Parameters,
    choose_backend,
    window_sides,
)

INIT_FLOATS = 1 << 16  # drawn at a time, in whole rows, so that the draw needs little memory
MIN_INIT_BLOCKS = 16  # of so many floats for each thread; fewer do not pay for its start
WAIT_SECONDS = 0.1  # interval at which a thread that waits for others can be interrupted

TABLE_BYTES = 12  # of a word in the tables of subsampling and of negative samples

# All n terms of a block move the bias of the input side at once, from the same scores. The loss of
# a term has a curvature of at most 1/4 times the squared length of its output row, so a step
# overshoots for certain where lr * n / 4 times that exceeds 2. Blocks of several threads add up.
IN_BIAS_LIMIT = 0.25  # a step counts as one of lr * n at most, summed over the threads


class ReplicatedRows(NamedTuple):
    """The first input rows and output rows, or the top of the tree, that a worker keeps private.

    inputs, outputs: (n_rows,) float32, for each the share of a worker's change that the shared row
    gets, > 0 and <= 1.  centres: between exchanges of the most frequent ones.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    centres: int


NO_REPLICATED_ROWS = ReplicatedRows(np.empty(0, np.float32), np.empty(0, np.float32), 10**9)


@dataclass(frozen=True)
class KernelSettings:
    """The numbers a kernel needs; see api.h for the meaning of each."""

    backend: str
    objective: str
    dim: int
    is_cbow: bool
    window: tuple[int, int]
    max_reach: int
    shrink_windows: bool
    negative: int
    largest: BlockShape
    loss_every: int
    is_shared: bool
    replicas: ReplicatedRows
    cbow_sum: bool
    cbow_contexts: float
    cbow_divide: bool
    cbow_rate: float
    in_bias_limit: float


@dataclass
class ModelArrays:
    """Rows to train and tables to draw from.

    in_rows: (n_words, stride) float32; out_rows: (n_outputs, stride) float32, of the words, of the
    n_words - 1 inner nodes with hierarchical softmax, or of the nodes and then the words if
    negative sampling is added to it; both shared by all threads.
    out_bias: (n_outputs,) float32 or None.  keep_threshold: (n_words,) uint32.
    noise: (n_words,) alias columns, negative sampling only.  paths: hierarchical softmax only.
    counts: (n_words,) int64, of the words.
    frozen: (n_words,) uint8, 1 where the input row stays as it is; None where none does.
    in_bias: (1, stride) float32, the part of the input side's bias that in_rows do not contain yet;
    folded_in_bias: (1, stride) float32, the part that they contain.  None without such a bias.
    """

    in_rows: NDArray[np.float32]
    out_rows: NDArray[np.float32]
    out_bias: NDArray[np.float32] | None
    counts: NDArray[np.int64]
    keep_threshold: NDArray[np.uint32]
    noise: NDArray[np.void] | None = None
    paths: HuffmanPaths | None = None
    frozen: NDArray[np.uint8] | None = None
    in_bias: NDArray[np.float32] | None = None
    folded_in_bias: NDArray[np.float32] | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the arrays of a copy, its rows to where kernels can use them."""
        for name in ("in_rows", "out_rows", "in_bias"):
            if state.get(name) is not None:
                rows = zero_rows(*state[name].shape)
                rows[...] = state[name]
                state[name] = rows
        self.__dict__.update(state)

    def input_bias(self, dim: int) -> NDArray[np.float32] | None:
        """Return a view (dim,) of the bias that in_rows contain, None without one."""
        return None if self.folded_in_bias is None else self.folded_in_bias[0, :dim]

    def fold_in_bias(self) -> None:
        """Add in_bias to all in_rows, which gives the same scores.  No worker may run."""
        if self.in_bias is None or not self.in_bias.any():
            return
        assert self.folded_in_bias is not None
        pending = self.in_bias.copy()
        self.in_bias[...] = 0
        self.in_rows += pending
        self.folded_in_bias += pending


def stride_of(dim: int) -> int:
    """Return the floats of a row, padded to a multiple of 64 bytes."""
    return -(-dim // _core.ROW_FLOATS) * _core.ROW_FLOATS


def zero_rows(n_rows: int, dim: int) -> NDArray[np.float32]:
    """Return (n_rows, stride) float32 zeros, each row aligned to 64 bytes."""
    stride = stride_of(dim)
    flat = np.frombuffer(allocate(n_rows * stride * 4), np.float32, n_rows * stride)
    return flat.reshape(n_rows, stride)


def fill_uniform(rows: NDArray[np.float32], dim: int, seed: int, n_threads: int = 1) -> None:
    """Fill the first dim columns with uniform draws of +-1/dim, as gensim and fastText do.

    n_threads: they do not change the values.
    """
    n_each = max(INIT_FLOATS // dim, 1)
    n_threads = min(n_threads, len(rows) // (MIN_INIT_BLOCKS * n_each))
    n_rows = -(-len(rows) // max(1, n_threads))
    n_rows += n_rows % 2  # a draw gives two floats
    stop = threading.Event()

    def fill(first: int, last: int) -> None:
        generator = np.random.PCG64(seed)
        generator.advance(first * dim // 2)
        rng, drawn = np.random.Generator(generator), np.empty((n_each, dim), np.float32)
        for begin in range(first, last, n_each):
            block = rows[begin : min(begin + n_each, last), :dim]
            values = drawn[: len(block)]
            rng.random(out=values, dtype=np.float32)
            values *= 2
            values -= 1
            values /= dim
            block[...] = values
            if stop.is_set():
                return

    if n_rows >= len(rows):
        fill(0, len(rows))
    else:
        firsts = range(0, len(rows), n_rows)
        bodies = [partial(fill, first, min(first + n_rows, len(rows))) for first in firsts]
        run_threads(bodies, stop, lambda: None, WAIT_SECONDS, "fastw2v-fill")


def kernel_settings(
    parameters: Parameters,
    largest: BlockShape,
    contexts: Contexts,
    max_reach: int,
    replicas: ReplicatedRows = NO_REPLICATED_ROWS,
) -> KernelSettings:
    """Translate the parameters of a run for the kernels.

    largest: block of any chunk.  contexts: of a token.  max_reach: the most words on a side that a
    window reaches, >= 1.  replicas: the private rows.
    """
    corrected = parameters.cbow_update != "word2vec"
    return KernelSettings(
        backend=choose_backend(parameters.backend),
        objective=parameters.objective,
        dim=parameters.vector_size,
        is_cbow=not parameters.sg,
        window=window_sides(parameters.window),
        max_reach=max_reach,
        shrink_windows=parameters.shrink_windows,
        negative=parameters.negative,
        largest=largest,
        loss_every=parameters.loss_every,
        is_shared=parameters.n_threads > 1 and not parameters.deterministic,
        replicas=replicas,
        cbow_sum=not parameters.cbow_mean,
        cbow_contexts=CONTEXTS_OF_MEAN * contexts.mean,
        cbow_divide=corrected == parameters.cbow_mean,
        cbow_rate=cbow_rate(parameters, contexts),
        in_bias_limit=in_bias_limit(parameters, max_reach),
    )


def cbow_rate(parameters: Parameters, contexts: Contexts) -> float:
    """Return what multiplies the gradient of context rows, so that alpha keeps its meaning.

    Peers take a mean's gradient n times too large for n contexts, and a sum's n times too small.
    """
    if parameters.cbow_update == "word2vec":
        return 1.0
    return contexts.mean if parameters.cbow_mean else contexts.inverse


def in_bias_limit(parameters: Parameters, max_reach: int) -> float:
    """Return IN_BIAS_LIMIT for one of the threads that share the bias of the input side.

    A sum of n context rows contains it n times: the curvature along it is n * n times as large.
    """
    n_sharing = 1 if parameters.deterministic else parameters.n_threads
    is_sum = not parameters.sg and not parameters.cbow_mean
    sides = (min(size, max_reach) for size in window_sides(parameters.window))
    n_biases = sum(sides) if is_sum else 1
    return IN_BIAS_LIMIT / (n_sharing * n_biases**2)


def effective_settings(parameters: Parameters) -> dict[str, Any]:
    """Return every setting with the defaults filled in, as a model's file keeps them."""
    return parameters.effective() | {"backend": choose_backend(parameters.backend)}


def check_vocabulary_size(parameters: Parameters, n_words: int) -> None:
    """Raise UsageError if the objective cannot be trained on this many words."""
    objective = parameters.objective_record
    least, most = objective.min_words, objective.max_words
    if n_words < least:
        raise UsageError(f"{objective.label} needs at least {least} words, got {n_words}")
    if most is not None and n_words > most:
        raise UsageError(
            f"the {objective.label} is meant for at most {most:,} words, got {n_words:,}; "
            "raise min_count, set max_final_vocab, or use negative sampling"
        )


def build_arrays(
    parameters: Parameters, counts: NDArray[np.int64], ties: str | None = None
) -> ModelArrays:
    """Return the arrays of an untrained model: random inputs, zero outputs.

    counts: (n_words,) int64, best descending: the first rows are the ones replicated.  ties: see
    huffman_paths.
    Raises UsageError if the objective does not fit the vocabulary, OutOfMemoryError if
    memory does not.
    """
    n_words, dim = len(counts), parameters.vector_size
    check_vocabulary_size(parameters, n_words)
    objective = parameters.objective_record
    n_outputs = objective.n_outputs(n_words)
    both = parameters.bias == BOTH_BIASES
    n_bytes = 4 * stride_of(dim) * (n_words + n_outputs) + TABLE_BYTES * n_words
    model = f"a model of {n_words:,} words and vector_size={dim:,}"
    with needing(n_bytes, f"{model} needs {mebibytes(n_bytes)} of memory"):
        tables = objective.tables(counts, parameters.ns_exponent, ties)
        in_rows = zero_rows(n_words, dim)
        n_threads = min(parameters.n_threads, usable_cores())
        fill_uniform(in_rows, dim, parameters.seed, n_threads)
        return ModelArrays(
            in_rows=in_rows,
            out_rows=zero_rows(n_outputs, dim),
            out_bias=np.zeros(n_outputs, np.float32) if parameters.bias else None,
            in_bias=zero_rows(1, dim) if both else None,
            folded_in_bias=zero_rows(1, dim) if both else None,
            counts=counts,
            keep_threshold=keep_thresholds(keep_probabilities(counts, parameters.sample)),
            noise=tables.noise,
            paths=tables.paths,
        )


def fit_to_pairs(
    parameters: Parameters, arrays: ModelArrays, context_counts: NDArray[np.int64]
) -> ModelArrays:
    """Return the arrays, rows shared, with negative samples drawn by how often they are contexts.

    context_counts: (n_words,) int64, not all 0.  Raises UsageError for CBOW.
    """
    if not parameters.sg:
        raise UsageError("pairs train skip-gram, and this model is CBOW: pass sg=1")
    if arrays.noise is None:
        return arrays
    noise = noise_probabilities(context_counts, parameters.ns_exponent)
    return replace(arrays, noise=alias_table(noise))
