"""Choose the block size: as many centres as possible without moving any row too far.

A block computes all its predictions from the same old values of a row, then adds their changes.
Each prediction moves a score of the row by up to lr * |other row|^2 / 4 of the way to its optimum.
If these moves add up to more than 2, each block overshoots further than the last and the row
diverges.  This sets an upper bound on lr * predictions.  The bound is the same over a factor of 8
in the learning rate, 4 in the window and 4 in the number of negative samples.

Negative samples push an output row in one direction; predictions push an input row in several.
Outputs and inputs therefore have separate bounds.  If even the smallest step exceeds its bound, the
learning rate is lowered to the largest one that the step allows.

Short runs have a second bound.  A shared negative sample replaces many independent draws, which
adds noise.  Long runs average this noise out; short runs do not.  See "The block rule" in
benchmarks/NOTES.md.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastw2v.sampling import noise_probabilities
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.objectives import MAX_CONTEXTS, BlockShape
from fastw2v.training.parameters import (
    BFLOAT16_BACKENDS,
    CONTEXTS_OF_MEAN,
    Contexts,
    Parameters,
    choose_backend,
    window_sides,
)
from fastw2v.training.sharing import kept_counts, kept_share

COLUMNS = 32  # outputs of a skip-gram block: two vectors of AVX-512, two tiles of AMX


class Bounds(NamedTuple):
    """Bounds shared by all objectives; class Objective has the others.

    output_move, input_move: maximum lr * predictions per block, for one output or input row.
    noise: maximum negative samples per step; a step that would need more takes fewer contexts.
    """

    output_move: float
    input_move: float
    noise: int


# Skip-gram's outputs diverge from 1.8 on (benchmarks/NOTES.md, "What moves a row").
SKIPGRAM_BOUNDS = Bounds(output_move=1.25, input_move=4.0, noise=240)
CBOW_BOUNDS = Bounds(output_move=1.0, input_move=25.0, noise=24)
# Below this vocabulary size most rows take part in most steps, and the bounds shrink with it.
FEW_WORDS = 1000

# In short sentences, the corrected CBOW update moves hidden rows further than the undivided one.
# Up to this mean ratio of the two, the learning rate needs no reduction.
USUAL_BOOST = 2.0

# From this many trained tokens per run on, speed matters more than the noise of large blocks.
MANY_TOKENS = 12_000_000
# A "lump" is the lr * predictions * reuse that one shared negative sample replaces.  These are its
# limits on long runs, on short runs, and on short runs per occurrence of a word.  Below FEW_WORDS
# words the limit shrinks, because the noise hides which words belong together.  CBOW learns faster
# and gets half.  See "Short runs" in benchmarks/NOTES.md.
LONG_RUN_LUMP = 2.5
SHORT_RUN_LUMP, LUMP_OF_ONE_SIGHT, CBOW_LUMP = 0.45, 0.003, 0.5

LR_STEPS = 8  # steps per octave (a factor of 2) of the learning rate; each step has its own block
OCTAVES = 12  # below the first learning rate; lower learning rates share the last block


def full_block(parameters: Parameters) -> BlockShape:
    """Return the block shape without any bound; settings of the user take precedence."""
    mode = parameters.mode
    shape = mode.block
    if mode.bfloat16_block is not None and choose_backend(parameters.backend) in BFLOAT16_BACKENDS:
        shape = mode.bfloat16_block
    return _as_asked(parameters, shape, shape.interleaved_steps)


def _as_asked(parameters: Parameters, shape: BlockShape, max_steps: int) -> BlockShape:
    """Return the shape with the numbers that the user set."""
    centres = parameters.block_centres or shape.centres
    return shape._replace(
        centres=centres,
        noise=parameters.block_noise or shape.noise,
        reuse=parameters.noise_reuse or shape.reuse,
        interleaved_steps=min(max_steps, centres),
    )


@dataclass(frozen=True)
class Load:
    """Statistics of a corpus that determine how far a block moves its rows.

    n_contexts: expected contexts per token; 1 for given pairs.
    boost: ratio of the corrected CBOW update of a hidden row to the undivided one.
    reach: words on the larger side of the window.
    top_word: share of the most frequent word after subsampling.
    repeats: probability that two tokens are the same word.
    top_noise: probability of the most frequent negative sample.
    n_terms: mean number of scores per prediction.
    n_kept: tokens trained in the whole run.
    n_words: size of the vocabulary.
    concurrency: threads that write the same rows.
    """

    n_contexts: float
    boost: float
    reach: int
    top_word: float
    repeats: float
    top_noise: float
    n_terms: float
    n_kept: float
    n_words: int
    concurrency: int = 1

    @property
    def pairs_of_top(self) -> float:
        """Factor >= 1 for the top word: as both input and target, it moves both of its rows."""
        return 1.0 + 2.0 * self.top_word**2

    @classmethod
    def of(
        cls,
        parameters: Parameters,
        arrays: ModelArrays,
        n_tokens: int,
        contexts: Contexts,
        concurrency: int = 1,
    ) -> "Load":
        """Return the load of a corpus with n_tokens per epoch."""
        counts = np.maximum(arrays.counts, 1)  # a model may have no counts
        n_kept = kept_counts(arrays, counts)
        share = n_kept / n_kept.sum()
        is_corrected = not parameters.sg and parameters.cbow_update != "word2vec"
        record, n_terms = parameters.objective_record, 0.0
        if record.scores_words:
            n_terms += record.target_terms + parameters.n_negative
        if arrays.paths is not None:
            n_terms += float(share @ np.diff(arrays.paths.begin))
        top_noise = 0.0
        if parameters.n_negative:
            top_noise = float(noise_probabilities(counts, parameters.ns_exponent).max())
        return cls(
            n_contexts=contexts.mean,
            boost=contexts.mean * contexts.inverse if is_corrected else 1.0,
            reach=max(window_sides(parameters.window)),
            top_word=float(share.max()),
            repeats=float(share @ share),
            top_noise=top_noise,
            n_terms=n_terms,
            n_kept=parameters.epochs * n_tokens * kept_share(arrays),
            n_words=len(counts),
            concurrency=concurrency,
        )


class Step(NamedTuple):
    """Block shape and learning rate of a chunk; lr is at most the requested one."""

    block: BlockShape
    lr: float


class BlockRule:
    """Chooses the block for each learning rate."""

    def __init__(self, parameters: Parameters, load: Load) -> None:
        self.parameters, self.load = parameters, load
        self.sg, self.record = parameters.sg, parameters.objective_record
        self.bounds = SKIPGRAM_BOUNDS if parameters.sg else CBOW_BOUNDS
        self.n_negative = parameters.n_negative
        self.max_block = full_block(parameters)
        if self.sg:
            self.max_block = self.max_block._replace(contexts=self._contexts(self.max_block, 0.0))
        self.max_lump = self._max_lump()
        self.max_lr = self._max_lr()
        self._first_lr = min(parameters.first_rate, self.max_lr)
        self._chosen: dict[float, BlockShape] = {}  # by octaves below the first learning rate

    def step(self, lr: float) -> Step:
        """Return the block for a learning rate, and the learning rate limited to max_lr."""
        bounded_lr = min(lr, self.max_lr)
        octaves = float(OCTAVES)
        if bounded_lr > self._first_lr * 2.0**-OCTAVES:
            octaves = math.floor(LR_STEPS * math.log2(self._first_lr / bounded_lr)) / LR_STEPS
        return Step(self._block(octaves), bounded_lr)

    def _block(self, octaves: float) -> BlockShape:
        """Return the block for learning rates at least `octaves` below the first one."""
        if octaves not in self._chosen:
            lr = self._first_lr * 2.0**-octaves
            shape = self._shape(lr)
            shape = _as_asked(self.parameters, shape, self.max_block.interleaved_steps)
            if self.sg:
                shape = shape._replace(
                    contexts=self._contexts(shape, lr), path_contexts=self._path_contexts(lr)
                )
            self._chosen[octaves] = shape
        return self._chosen[octaves]

    def describe(self, first_lr: float, last_lr: float) -> str:
        """Describe the blocks of a run at its first and last learning rate, as text."""
        first, last = self.step(first_lr), self.step(last_lr)
        text = self._described(first.block)
        if last.block != first.block:
            text = f"{text}; at the end {self._described(last.block)}"
        if first.lr < first_lr:
            text = f"{text}; learning rate limited to {self.max_lr:.3g}"
        return text

    def _described(self, shape: BlockShape) -> str:
        text = f"{shape.centres} centre{'s' if shape.centres > 1 else ''}"
        if self.n_negative:
            text = f"{text} x {shape.noise} negative samples"
            if shape.interleaved_steps > 1:
                text = f"{text} in {shape.interleaved_steps} steps"
            if shape.reuse > 1:
                text = f"{text}, each for {shape.reuse} blocks"
        n_contexts = min(shape.contexts, shape.path_contexts + shape.centres)
        if self.sg and n_contexts < self._reached(shape):
            text = f"{text}, {min(shape.contexts, shape.path_contexts)} contexts a step"
        return text

    def largest(self) -> BlockShape:
        """Return a shape with the largest value of each field over the whole run."""
        noise = self.max_block.noise
        if callable(self.parameters.schedule) and not self.parameters.block_noise:
            noise = max(noise, self.bounds.noise if self.n_negative else 1)
        else:
            steps = range(OCTAVES * LR_STEPS + 1)
            noise = max(noise, *(self._block(i / LR_STEPS).noise for i in steps))
        return self.max_block._replace(noise=noise)

    def _max_lump(self) -> float:
        """Return the limit of a lump.  It grows smoothly with the length of the run."""
        load = self.load
        if load.n_kept >= MANY_TOKENS:
            return math.inf
        sights = max(load.n_kept, 1.0) / load.n_words
        short = min(SHORT_RUN_LUMP, LUMP_OF_ONE_SIGHT * sights)
        short *= min(1.0, load.n_words / FEW_WORDS) * (1.0 if self.sg else CBOW_LUMP)
        return max(short, LONG_RUN_LUMP * (load.n_kept / MANY_TOKENS) ** 2)

    def _max_lr(self) -> float:
        """Return the largest learning rate at which the smallest step is stable."""
        load = self.load
        repeated = 0.0 if self.sg else load.n_contexts * load.repeats
        boost = max(1.0, load.boost / USUAL_BOOST)
        of_input = self.record.max_smallest_move / (load.n_terms * (boost + repeated))
        if not (self.sg or self.parameters.cbow_mean):
            of_input *= self.record.sum_share
        return min(of_input, self.bounds.output_move / self._of_one(self.bounds.noise))

    def _of_one(self, noise: int) -> float:
        """Return the mean predictions on the busiest output row in a step of one prediction.

        Counts other threads' predictions in skip-gram; in CBOW they had no measurable effect.
        """
        load = self.load
        n_threads = load.concurrency if self.sg else 1
        of_centre = 1.0 + (n_threads - 1) * load.top_word
        of_noise = self.n_negative * max(1 / noise, load.top_noise * n_threads)
        return load.pairs_of_top * max(of_noise + load.top_word * n_threads, of_centre)

    def _shape(self, lr: float) -> BlockShape:
        """Return the largest block within all bounds."""
        for centres in _smaller(self.max_block):
            n_steps = min(self.max_block.interleaved_steps, centres)
            shape = self.max_block._replace(centres=centres, interleaved_steps=n_steps)
            if self.n_negative:
                shape = self._with_noise(shape, lr)
            if centres == 1 or self._holds(shape, lr):
                break
        if self.n_negative:
            shape = shape._replace(noise=min(shape.noise, self.bounds.noise))
        return shape

    def _predictions(self, shape: BlockShape) -> float:
        """Return how many predictions share the negative samples of a step."""
        per_centre = self.load.n_contexts if self.sg else 1.0
        return shape.centres / shape.interleaved_steps * per_centre

    def _with_noise(self, shape: BlockShape, lr: float) -> BlockShape:
        """Return the shape with as many negative samples as its predictions need.

        A negative sample serves several blocks only if the run is long enough to average out the
        added noise.
        """
        least = shape.noise
        rounded = self.parameters.mode.bfloat16_block
        if rounded is not None and self.load.n_kept < MANY_TOKENS:
            least = rounded.noise  # the same on every CPU
        draws = self._predictions(shape) * self.n_negative
        stable = math.ceil(lr * draws / self.bounds.output_move)
        for reuse in _halved(shape.reuse):
            # At the first learning rate: with the current one, samples would become fewer as it
            # falls, and their noise would not fall with it.
            few = math.ceil(max(self._first_lr, lr) * draws * reuse / self.max_lump)
            if few <= least:
                break
        if shape.centres == 1:
            few = min(few, COLUMNS)  # the step cannot get smaller, and every sample takes time
        return shape._replace(noise=max(least, stable, few), reuse=reuse)

    def _holds(self, shape: BlockShape, lr: float) -> bool:
        """Return whether a block of two or more centres keeps every row within its bound."""
        load, n = self.load, shape.centres
        if self.n_negative and shape.noise > self._noise_room(shape):
            return False
        of_word = n * load.top_word * load.concurrency
        predictions = self._predictions(shape)
        noise = predictions * self.n_negative * load.top_noise * load.concurrency
        moves = self.record.target_moves * of_word
        wanted = max(moves, 1.0) * (load.n_contexts if self.sg else self._growth_of_sum())
        if lr * (noise + wanted) * load.pairs_of_top > self.bounds.output_move:
            return False
        if self.sg:
            paired = min(n, 2 * load.reach) + of_word * load.n_contexts
        else:
            around = load.n_contexts * load.top_word
            paired = min(n, load.n_contexts) * (1 + of_word + around)
        return lr * load.n_terms * paired <= self.bounds.input_move

    def _growth_of_sum(self) -> float:
        is_sum = not self.parameters.cbow_mean
        return self.load.n_contexts**self.record.sum_growth if is_sum else 1.0

    def _noise_room(self, shape: BlockShape) -> int:
        return COLUMNS - shape.centres if self.sg else self.bounds.noise

    def _contexts(self, shape: BlockShape, lr: float) -> int:
        """Return the maximum inputs of a skip-gram step.

        A sentence far longer than the mean has more contexts than _holds counts.
        """
        most = shape.centres + CONTEXTS_OF_MEAN * self.load.n_contexts
        if shape.centres == 1 and lr > 0 and self.record.scores_words:
            by_output = self.bounds.output_move / (lr * self._of_one(shape.noise))
            most = max(1.0, min(most, self._by_input(lr), by_output))
        return int(min(most, self._reached(shape), MAX_CONTEXTS))

    def _path_contexts(self, lr: float) -> int:
        """Return the maximum inputs of a skip-gram step along a Huffman path."""
        root_move, most = self.record.max_root_move, min(2 * self.load.reach, MAX_CONTEXTS)
        if root_move is None or lr == 0:
            return most
        by_root = root_move / lr * min(1.0, self.load.n_words / FEW_WORDS)
        return max(1, int(min(by_root, self._by_input(lr), most)))

    def _by_input(self, lr: float) -> float:
        """Return how many contexts of one centre keep every input row within its bound."""
        of_word = self.load.top_word * self.load.concurrency
        return (self.bounds.input_move / (lr * self.load.n_terms) - 1) / of_word

    def _reached(self, shape: BlockShape) -> int:
        """Return how many words the windows of a skip-gram block reach at most."""
        return shape.centres + 2 * self.load.reach


def _smaller(block: BlockShape) -> list[int]:
    """Return centre counts from the block's own down to 1, equal for all steps where possible."""
    n_steps = block.interleaved_steps
    return [
        *range(block.centres, n_steps, -n_steps),
        *range(min(n_steps, block.centres), 0, -1),
    ]


def _halved(reuse: int) -> list[int]:
    """Return a number and its halves down to 1."""
    return [reuse >> i for i in range(reuse.bit_length())]
