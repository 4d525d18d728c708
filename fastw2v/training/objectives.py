"""The three objectives as records: everything in Python that differs between them.

No other module knows their names.  What they compute is in C; see w2v_objective in api.h.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    centres: consecutive ones per block.  noise: negative samples that these share.  reuse: blocks
    that a negative sample serves.  interleaved_steps: of a CBOW block with negative sampling; each
    takes every interleaved_steps-th centre, with negative samples of its own.  contexts: of one
    centre that a skip-gram step takes at most.
    """

    centres: int
    noise: int
    reuse: int
    interleaved_steps: int = 1
    contexts: int = MAX_CONTEXTS


class ReplicaCounts(NamedTuple):
    """How many rows of each matrix, the most frequent ones, and the centres between exchanges.

    small_outputs: output rows where an epoch has fewer than sharing.PRIVATE_FROM_TOKENS.
    """

    inputs: int
    outputs: int
    centres: int
    small_outputs: int


class Tables(NamedTuple):
    """What an objective needs beside the rows.

    noise: (n_words,) alias columns to draw negative samples from.  paths: of a Huffman tree.
    """

    noise: NDArray[np.void] | None = None
    paths: HuffmanPaths | None = None


@dataclass(frozen=True)
class Mode:
    """What also differs between skip-gram and CBOW.

    alpha: default learning rate.
    block: the largest, which reaches gensim's quality on long runs in the least time; see blocks.
    bfloat16_block: the same where products are of bfloat16, None if it does not differ.
    effective_rate: part of its way to the optimum that a prediction moves an output row, over the
    learning rate; 0 where no rows are private.
    """

    alpha: float
    block: BlockShape
    bfloat16_block: BlockShape | None = None
    effective_rate: float = 0.0


@dataclass(frozen=True)
class Objective:
    """What is predicted of a word, and the numbers that training it needs.

    name: in settings, files and checkpoints, and for the kernels.  label: as people read it.
    flag: the argument of gensim's Word2Vec and of the command line that chooses it.

    skipgram, cbow: see Mode.
    cbow_is_corrected: whether CBOW takes the corrected update by default.
    max_learning: CBOW's default learning rate * occurrences of the median word * epochs, at most;
    see parameters.MIN_SEEN.

    tables: makes them of the words' counts, the power of the noise distribution and the order of
    ties in a Huffman tree.
    draws_negatives: whether a prediction also scores negative samples.
    n_outputs: output rows of so many words.  output_order: 1 where the most frequent output row is
    the first one, -1 where it is the last one.
    min_words, max_words: of a vocabulary that can be trained; None for no limit.
    target_terms: scores of a prediction beside negative samples and paths, as far as they move
    rows.
    start_loss: mean nats of a prediction at zero outputs, by its mean number of terms and the
    number of words.

    Bounds of the block rule, in lr * predictions; see blocks:
    max_smallest_move: of the smallest step: a skip-gram pair, or a CBOW centre, whose contexts may
    hold a word many times.  Up to this, training recovers while the learning rate falls; constant
    ones diverge from 1.5.
    sum_share: share of max_smallest_move where CBOW sums its contexts.
    target_moves: how far a target's row moves with all other predictions, over the target alone.
    max_root_move: that each context of a step may bring to the root of a Huffman tree, which takes
    part in all; None without a tree.

    max_chunk_tokens: tokens of a chunk at most, by the floats of the output matrix.
    shuffled_from_tokens: tokens of an epoch from which on its chunks come in random order.
    replicated_rows: those that each worker keeps private, None for none; see sharing.
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
    n_outputs: Callable[[int], int]
    start_loss: Callable[[float, int], float]
    max_smallest_move: float
    cbow_is_corrected: bool = True
    draws_negatives: bool = False
    output_order: int = 1
    min_words: int = 0
    max_words: int | None = None
    target_terms: float = 1.0
    sum_share: float = 1.0
    target_moves: float = 1.0
    max_root_move: float | None = None
    max_chunk_tokens: Callable[[int], int] | None = None
    shuffled_from_tokens: int = 0
    replicated_rows: ReplicaCounts | None = None
    moves_all_outputs: bool = False
    uses_blas: bool = False

    def mode(self, sg: bool) -> Mode:
        """Return what holds for skip-gram, or else for CBOW."""
        return self.skipgram if sg else self.cbow


def _row_per_word(n_words: int) -> int:
    return n_words


def _loss_of_sigmoids(n_terms: float, n_words: int) -> float:
    return n_terms * math.log(2)


# ---- negative sampling ----


def _noise_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables(noise=alias_table(noise_probabilities(counts, power)))


NEGATIVE_SAMPLING = Objective(
    name="ns",
    label="negative sampling",
    flag="negative",
    # Products of bfloat16 are so fast that more centres pay; on long runs the loss is 0.003 higher
    # at most.
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
    n_outputs=_row_per_word,
    start_loss=_loss_of_sigmoids,
    max_smallest_move=2.5,
    # It learns slowly at first, and learns more of a small text in the text's own order: the loss
    # on 1 and 3 MB of Wikipedia is 0.003 to 0.055 higher in random order, and on 5 MB 0.018 lower.
    # The other objectives learn less in order.
    shuffled_from_tokens=600_000,
    # What all threads write stops them from scaling. With two threads, ns a kept word with no
    # private rows and with these: skip-gram 123 and 109, CBOW 184 and 156 (with twice as many).
    # With 16 threads on 16 cores of an Intel CPU, M words/s: skip-gram 31 and 41, CBOW 32 and 49.
    # Twice as many rows of words were x0.88 there, and with two cores far apart x0.97: the copies
    # push the rest out of L2.
    replicated_rows=ReplicaCounts(inputs=128, outputs=64, centres=64, small_outputs=0),
)


# ---- hierarchical softmax ----


def _path_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables(paths=huffman_paths(counts, ties))


def _inner_nodes(n_words: int) -> int:
    return n_words - 1


HIERARCHICAL_SOFTMAX = Objective(
    name="hs",
    label="hierarchical softmax",
    flag="hs",
    # The effective rates were found by trying: with a third of them 16 workers diverge at four
    # times the default learning rate, where one, and 48 with these, do not.
    skipgram=Mode(alpha=0.025, block=BlockShape(1, 1, 1), effective_rate=0.03),
    cbow=Mode(alpha=0.05, block=BlockShape(16, 1, 1), effective_rate=0.1),
    cbow_is_corrected=False,
    max_learning=12.5,
    tables=_path_table,
    n_outputs=_inner_nodes,
    output_order=-1,  # the root has the last row
    min_words=2,
    start_loss=_loss_of_sigmoids,
    max_smallest_move=1.25,  # the longest paths are twice as long as the mean
    # A sum of contexts is longer than their mean, and all paths begin with the same rows: above
    # this share of the bound, 100 words of equal frequency raise the mean loss above that at the
    # start.
    sum_share=0.6,
    max_root_move=0.275,  # window 5 fits at the default rate
    # Measured as above: with two threads, skip-gram 705 and 380 ns, CBOW 560 and 204; with 16
    # threads, 2.9 and 18, 2.7 and 29 M words/s.
    replicated_rows=ReplicaCounts(
        inputs=64, outputs=_core.TOP_NODES, centres=500, small_outputs=_core.TOP_NODES
    ),
)


# ---- full softmax ----

# It takes 2 ms a token for 50,000 words of dimension 100: a quarter of a second a chunk.
SOFTMAX_CHUNK_FLOATS = 7 * 10**8  # tokens * floats of the output matrix
SOFTMAX_MIN_TOKENS = 64  # two blocks


def _no_table(counts: NDArray[np.int64], power: float, ties: str | None) -> Tables:
    return Tables()


def _loss_of_softmax(n_terms: float, n_words: int) -> float:
    return math.log(max(n_words, 2))


def _tokens_for_floats(n_floats: int) -> int:
    return max(SOFTMAX_CHUNK_FLOATS // n_floats, SOFTMAX_MIN_TOKENS)


# Enough rows for the matrix products to run at full speed.
_SOFTMAX_BLOCK = BlockShape(32, 1, 1)

FULL_SOFTMAX = Objective(
    name="softmax",
    label="full softmax",
    flag="softmax",
    skipgram=Mode(alpha=0.025, block=_SOFTMAX_BLOCK),
    cbow=Mode(alpha=0.1, block=_SOFTMAX_BLOCK),
    max_learning=25.0,
    tables=_no_table,
    n_outputs=_row_per_word,
    max_words=50_000,  # it scores every word for every input: past this it takes days
    target_terms=2.0,  # the target, and its share of the others
    start_loss=_loss_of_softmax,
    max_smallest_move=2.5,
    # A row moves as a target and by its share of all other predictions.  With 2 to 10 words 2 still
    # diverges at 0.2.
    target_moves=3.0,
    max_chunk_tokens=_tokens_for_floats,
    moves_all_outputs=True,
    uses_blas=True,
)


DEFAULT = NEGATIVE_SAMPLING
OBJECTIVES = {
    objective.name: objective
    for objective in (NEGATIVE_SAMPLING, HIERARCHICAL_SOFTMAX, FULL_SOFTMAX)
}
# The arguments that choose another one than DEFAULT.
FLAGS = tuple(objective.flag for objective in OBJECTIVES.values() if objective is not DEFAULT)


def choose_objective(flags: Mapping[str, int | bool], negative: int | None) -> tuple[str, int]:
    """Return the name of the objective that gensim's and word2vec.c's flags ask for, and K.

    flags: FLAGS, true to choose one.  negative: negative samples, 0 for none, None if not said.
    Raises UsageError if they ask for two objectives or for none.
    """
    asked = {o.flag: o for o in OBJECTIVES.values() if flags.get(o.flag)}
    if negative:
        asked[DEFAULT.flag] = DEFAULT
    if len(asked) > 1:
        raise UsageError(
            f"{' and '.join(asked)} contradict each other: a model has one objective; "
            f"leave out all but one{', or set negative=0' if negative else ''}"
        )
    if not asked and negative == 0:
        others = ", ".join([DEFAULT.flag, *FLAGS[:-1]])
        raise UsageError(f"negative=0 leaves nothing to train: set {others} or {FLAGS[-1]}")
    (objective,) = asked.values() or [DEFAULT]
    return objective.name, negative or DEFAULT_NEGATIVE
