"""The objectives as records: everything in Python that differs between them.

No other module compares objectives by name.  Their computations are in C; see w2v_objective in
api.h.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.errors import UsageError
from fastw2v.sampling import HuffmanPaths, alias_table, huffman_paths, noise_probabilities

DEFAULT_NEGATIVE = 5  # word2vec.c and gensim; Mikolov et al. 2013 (1310.4546): 5-20, section 2.2

MAX_CONTEXTS = 2**31 - 1  # no limit


class BlockShape(NamedTuple):
    """How the centres of a chunk are grouped into steps; see w2v_block in api.h.

    centres: consecutive centres per block.
    noise: negative samples shared by the centres of a step.
    reuse: consecutive blocks that each negative sample serves.
    interleaved_steps: steps per block in CBOW with negative sampling.  Each step takes every
    interleaved_steps-th centre and has its own negative samples.
    contexts: maximum inputs of a skip-gram step.  path_contexts: of one along a Huffman path.
    """

    centres: int
    noise: int
    reuse: int
    interleaved_steps: int = 1
    contexts: int = MAX_CONTEXTS
    path_contexts: int = MAX_CONTEXTS


class ReplicaCounts(NamedTuple):
    """Number of replicated rows, and the interval at which replicas are synced.

    inputs, outputs: rows of each matrix, the most frequent ones.
    centres: centres between two syncs.
    small_outputs: output rows if an epoch has fewer tokens than sharing.REPLICATED_FROM_TOKENS.
    """

    inputs: int
    outputs: int
    centres: int
    small_outputs: int


class Tables(NamedTuple):
    """Tables that an objective needs besides the rows.

    noise: (n_words,) alias columns for drawing negative samples.  paths: of a Huffman tree.
    """

    noise: NDArray[np.void] | None = None
    paths: HuffmanPaths | None = None


@dataclass(frozen=True)
class Mode:
    """The numbers of an objective that differ between skip-gram and CBOW.

    alpha: default learning rate.
    block: the largest block, the fastest one that matches gensim's quality on long runs; see
    blocks.
    bfloat16_block: the same for backends that multiply in bfloat16, None if equal.
    effective_rate: fraction of the way to its optimum that one prediction moves an output row,
    divided by the learning rate; 0 if no rows are replicated.
    """

    alpha: float
    block: BlockShape
    bfloat16_block: BlockShape | None = None
    effective_rate: float = 0.0


@dataclass(frozen=True)
class Objective:
    """A training objective and the numbers that training with it needs.

    name: used in settings, files, checkpoints and the kernels.  label: name for people.
    flag: argument that selects it, of gensim's Word2Vec and of the command line.
    terms: the objectives whose losses it adds up, () for one loss of its own.

    skipgram, cbow: see Mode.
    cbow_is_corrected: whether CBOW uses the corrected update by default.
    max_learning: maximum of CBOW's default learning rate * occurrences of the median word * epochs;
    see parameters.MIN_SEEN.

    tables: builds them from the word counts, the power of the noise distribution and the order of
    ties in a Huffman tree.
    draws_negatives: whether a prediction also scores negative samples.
    scores_words: whether words have output rows.  Those of the inner nodes of a tree come before.
    min_words, max_words: range of vocabulary sizes that can be trained; max_words is None for no
    limit.
    target_terms: scores per prediction that move rows, without negative samples and paths.
    start_loss: maps the mean number of terms per prediction and the number of words to the mean
    loss at zero outputs, in nats per prediction.

    Bounds of the block rule, in lr * predictions (see blocks):
    max_smallest_move: for the smallest step, which is a skip-gram pair, or a CBOW centre whose
    contexts may repeat a word.  Up to this bound, training recovers as the learning rate falls;
    a constant learning rate diverges from 1.5 on.
    sum_share: multiplies max_smallest_move if CBOW sums its contexts.
    sum_growth: a CBOW sum moves output rows as much as a mean does, times the mean number of
    contexts to this power.
    target_moves: move of a target row with all other predictions, relative to the target alone.
    max_root_move: for the root of a Huffman tree, which is on every path, per context of a step;
    None without a tree.

    max_chunk_tokens: maps the floats of the output matrix to the maximum tokens per chunk.
    shuffled_from_tokens: tokens per epoch from which on chunks are visited in random order.
    replicated_rows: rows of which each worker keeps a replica, None for none; see sharing.
    moves_all_outputs: whether a prediction changes every output row.
    uses_blas: whether the kernels call BLAS.
    """

    name: str
    label: str
    flag: str
    skipgram: Mode
    cbow: Mode
    max_learning: float
    tables: Callable[[NDArray[np.int64], float, str | None], Tables]
    start_loss: Callable[[float, int], float]
    max_smallest_move: float
    terms: tuple[str, ...] = ()
    cbow_is_corrected: bool = True
    draws_negatives: bool = False
    scores_words: bool = True
    min_words: int = 0
    max_words: int | None = None
    target_terms: float = 1.0
    sum_share: float = 1.0
    sum_growth: float = 0.0
    target_moves: float = 1.0
    max_root_move: float | None = None
    max_chunk_tokens: Callable[[int], int] | None = None
    shuffled_from_tokens: int = 0
    replicated_rows: ReplicaCounts | None = None
    moves_all_outputs: bool = False
    uses_blas: bool = False

    def mode(self, sg: bool) -> Mode:
        """Return the mode of skip-gram or of CBOW."""
        return self.skipgram if sg else self.cbow

    @property
    def has_tree(self) -> bool:
        """Whether a prediction scores the nodes of a Huffman path."""
        return self.max_root_move is not None

    def n_nodes(self, n_words: int) -> int:
        """Return the output rows of inner nodes; the root has the last of them."""
        return n_words - 1 if self.has_tree else 0

    def n_outputs(self, n_words: int) -> int:
        """Return the number of output rows."""
        return self.n_nodes(n_words) + (n_words if self.scores_words else 0)


def _loss_of_sigmoids(n_terms: float, n_words: int) -> float:
    return n_terms * math.log(2)


# ---- negative sampling ----


def _noise_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables(noise=alias_table(noise_probabilities(counts, power)))


NEGATIVE_SAMPLING = Objective(
    name="ns",
    label="negative sampling",
    flag="negative",
    # Products in bfloat16 are fast enough that more centres pay off.  The loss of long runs rises
    # by 0.003 at most.
    skipgram=Mode(
        alpha=0.025,
        block=BlockShape(14, 10, 2),
        bfloat16_block=BlockShape(20, 12, 2),
        effective_rate=0.3,
    ),
    cbow=Mode(alpha=0.1, block=BlockShape(48, 8, 4, interleaved_steps=6), effective_rate=0.3),
    max_learning=25.0,
    tables=_noise_table,
    draws_negatives=True,
    start_loss=_loss_of_sigmoids,
    max_smallest_move=2.5,
    # Negative sampling learns slowly at first.  It learns more from a small text in the original
    # order: on up to 3 MB of Wikipedia, random order raises the loss by up to 0.055.  The other
    # objectives learn less in the original order (benchmarks/NOTES.md, "Order").
    shuffled_from_tokens=600_000,
    # Rows that all threads write limit scaling.  With 16 threads on 16 cores, these replicas raise
    # CBOW from 32 to 49 M words/s.  With twice as many, replicas push other rows out of L2
    # (benchmarks/NOTES.md, "Twelfth round").
    replicated_rows=ReplicaCounts(inputs=128, outputs=64, centres=64, small_outputs=0),
)


# ---- hierarchical softmax ----


def _path_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables(paths=huffman_paths(counts, ties))


HIERARCHICAL_SOFTMAX = Objective(
    name="hs",
    label="hierarchical softmax",
    flag="hs",
    # Found by experiment.  With a third of these rates, 16 workers diverge at four times the
    # default learning rate, where one worker does not.
    skipgram=Mode(alpha=0.025, block=BlockShape(1, 1, 1), effective_rate=0.03),
    cbow=Mode(alpha=0.05, block=BlockShape(16, 1, 1), effective_rate=0.1),
    cbow_is_corrected=False,
    max_learning=12.5,
    tables=_path_table,
    scores_words=False,
    min_words=2,
    start_loss=_loss_of_sigmoids,
    max_smallest_move=1.25,  # the longest paths are twice as long as the mean
    # A sum of contexts is longer than their mean, and all paths start with the same rows.  Above
    # this share of the bound, the loss of 100 equally frequent words rises above its start.
    sum_share=0.6,
    max_root_move=0.275,  # fits window 5 at the default learning rate
    # The top nodes are on almost every path.  With 16 threads, these replicas raise CBOW from 2.7
    # to 29 M words/s (benchmarks/NOTES.md, "Twelfth round").
    replicated_rows=ReplicaCounts(
        inputs=64, outputs=_core.TOP_NODES, centres=500, small_outputs=_core.TOP_NODES
    ),
)


# ---- both of them ----


def _both_tables(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables(alias_table(noise_probabilities(counts, power)), huffman_paths(counts, ties))


# The losses are added.  Each block takes the steps of both, one after the other, and fits the
# bounds of either; see train_sigmoids in kernel.h.
BOTH_LOSSES = replace(
    HIERARCHICAL_SOFTMAX,
    name="hs+ns",
    label="hierarchical softmax and negative sampling",
    terms=(HIERARCHICAL_SOFTMAX.name, NEGATIVE_SAMPLING.name),
    # Inputs that two losses move are longer than those of one: twice the rates of paths alone.
    skipgram=replace(NEGATIVE_SAMPLING.skipgram, effective_rate=0.06),
    cbow=Mode(alpha=0.05, block=BlockShape(24, 8, 4, interleaved_steps=6), effective_rate=0.2),
    tables=_both_tables,
    draws_negatives=True,
    scores_words=True,
    max_smallest_move=1.5,  # the longest paths are twice as long as the mean, but not the samples
)


# ---- full softmax ----

# A chunk of this size takes about a quarter of a second.
SOFTMAX_CHUNK_FLOATS = 7 * 10**8  # tokens * floats of the output matrix
SOFTMAX_MIN_TOKENS = 64  # two blocks


def _no_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables()


def _loss_of_softmax(n_terms: float, n_words: int) -> float:
    return math.log(max(n_words, 2))


def _tokens_for_floats(n_floats: int) -> int:
    return max(SOFTMAX_CHUNK_FLOATS // n_floats, SOFTMAX_MIN_TOKENS)


# Enough rows for matrix products to run at full speed.
_SOFTMAX_BLOCK = BlockShape(32, 1, 1)

FULL_SOFTMAX = Objective(
    name="softmax",
    label="full softmax",
    flag="softmax",
    skipgram=Mode(alpha=0.025, block=_SOFTMAX_BLOCK),
    cbow=Mode(alpha=0.1, block=_SOFTMAX_BLOCK),
    max_learning=25.0,
    tables=_no_table,
    max_words=50_000,  # every input scores every word: a larger vocabulary would take days
    target_terms=2.0,  # the target, and its share of all other predictions
    start_loss=_loss_of_softmax,
    max_smallest_move=2.5,
    # A row moves as a target, and by its share of all other predictions.  With 2 to 10 words, a
    # factor of 2 still diverges at learning rate 0.2.
    target_moves=3.0,
    # In predictions * learning rate, sums of 100 contexts diverge from 1.6 on, sums of 6 from 2.
    sum_growth=0.5,
    max_chunk_tokens=_tokens_for_floats,
    moves_all_outputs=True,
    uses_blas=True,
)


DEFAULT = NEGATIVE_SAMPLING
OBJECTIVES = {
    objective.name: objective
    for objective in (NEGATIVE_SAMPLING, HIERARCHICAL_SOFTMAX, BOTH_LOSSES, FULL_SOFTMAX)
}
# The arguments that select an objective other than DEFAULT.
FLAGS = tuple(o.flag for o in OBJECTIVES.values() if o is not DEFAULT and not o.terms)


def choose_objective(flags: Mapping[str, int | bool], negative: int | None) -> tuple[str, int]:
    """Return the objective's name and number of negative samples for gensim's arguments.

    flags: FLAGS, true to select one.  negative: negative samples, 0 for none, None if not given.
    Two objectives are both trained if their losses can be added.
    Raises UsageError if they cannot, or if the arguments select none.
    """
    asked = {o.flag: o for o in OBJECTIVES.values() if flags.get(o.flag) and not o.terms}
    if negative:
        asked[DEFAULT.flag] = DEFAULT
    if len(asked) > 1:
        names = {o.name for o in asked.values()}
        sums = [o for o in OBJECTIVES.values() if set(o.terms) == names]
        if not sums:
            raise UsageError(
                f"{' and '.join(asked)} contradict each other: a model has one objective; "
                f"leave out all but one{', or set negative=0' if negative else ''}"
            )
        asked = {sums[0].flag: sums[0]}
    if not asked and negative == 0:
        others = ", ".join([DEFAULT.flag, *FLAGS[:-1]])
        raise UsageError(f"negative=0 leaves nothing to train: set {others} or {FLAGS[-1]}")
    (objective,) = asked.values() or [DEFAULT]
    return objective.name, negative or DEFAULT_NEGATIVE
