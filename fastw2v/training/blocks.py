"""How many centres a block step takes at once: as many as move no row too far.

All predictions of a block act on a row at once, from the same old values.  Each moves a score of
the row by up to lr * |other row|^2 / 4 of the way to its optimum.  If the sum passes 2, the row
overshoots by more each time and diverges.  So lr * predictions has an upper bound, which is the
same over a factor of 8 in learning rate, 4 in window and 4 in negative samples.  Negative samples
push a row in one direction and inputs are pushed in several, so each kind has its own bound.  Where
even the smallest step is above its bound, the learning rate is held to what that step allows.

Short runs have a second bound.  A shared negative sample stands for many draws at once.  That is
noise, which long runs average out and short ones keep.  See "The block rule" in
benchmarks/NOTES.md.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastw2v.sampling import noise_probabilities
from fastw2v.training.arrays import ModelArrays
from fastw2v.training.objectives import BlockShape
from fastw2v.training.parameters import (
    BFLOAT16_BACKENDS,
    Contexts,
    Parameters,
    choose_backend,
    window_sides,
)
from fastw2v.training.sharing import kept_counts, kept_share

COLUMNS = 32  # outputs of a skip-gram block: two vectors of AVX-512, two tiles of AMX


class Bounds(NamedTuple):
    """Bounds that hold with every objective; each has more of its own.

    output_move, input_move: lr * predictions that one block may bring to a row.  noise: negative
    samples of a step; past this it takes fewer contexts.
    """

    output_move: float
    input_move: float
    noise: int


# Skip-gram's outputs diverge from 1.8, its inputs from 4.5; CBOW's inputs from 45.
SKIPGRAM_BOUNDS = Bounds(output_move=1.25, input_move=4.0, noise=240)
CBOW_BOUNDS = Bounds(output_move=1.0, input_move=25.0, noise=24)
# With fewer words most rows take part in most steps, and bounds fall with their number.
FEW_WORDS = 1000

# The corrected update moves the hidden rows of short sentences further than the undivided one does.
# A mean ratio of the two up to this needs no lower learning rate.
USUAL_BOOST = 2.0

# Tokens of a whole run from which on speed counts more than the noise of large blocks.
MANY_TOKENS = 12_000_000
# lr * predictions * reuse that a negative sample may stand for: on long runs; on short runs at
# most; and on short runs for each time that a word is seen.  With fewer than FEW_WORDS it falls, as
# that noise hides which of them belong together.  CBOW learns faster and takes half.
LONG_RUN_LUMP = 2.5
SHORT_RUN_LUMP, LUMP_OF_ONE_SIGHT, CBOW_LUMP = 0.45, 0.003, 0.5

LR_STEPS = 8  # learning rates in an octave that get a block of their own
OCTAVES = 12  # below the first learning rate; still lower ones share the last block


def full_block(parameters: Parameters) -> BlockShape:
    """Return the shape of blocks where no bound is felt, with what the user fixed."""
    mode = parameters.mode
    shape = mode.block
    if mode.bfloat16_block is not None and choose_backend(parameters.backend) in BFLOAT16_BACKENDS:
        shape = mode.bfloat16_block
    return _as_asked(parameters, shape, shape.interleaved_steps)


def _as_asked(parameters: Parameters, shape: BlockShape, max_steps: int) -> BlockShape:
    """Return the shape with what the user fixed."""
    centres = parameters.block_centres or shape.centres
    return shape._replace(
        centres=centres,
        noise=parameters.block_noise or shape.noise,
        reuse=parameters.noise_reuse or shape.reuse,
        interleaved_steps=min(max_steps, centres),
    )


@dataclass(frozen=True)
class Load:
    """What a corpus puts on the rows of a block.

    n_contexts: expected of a token; 1 for given pairs.
    boost: how much further CBOW's corrected update moves a hidden row than the undivided one does.
    reach: words on the larger side of the window.
    top_word: share of the most frequent word after subsampling.
    repeats: probability that two tokens are the same word.
    top_noise: probability of the most frequent negative sample.
    n_terms: scores a prediction has on average.
    n_kept: tokens trained in the whole run.
    n_words: of the vocabulary.
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
        """Factor, >= 1, for the top word's rows, which both move where it is input and target."""
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
        """Return the load of a corpus of n_tokens in an epoch."""
        counts = np.maximum(arrays.counts, 1)  # a model may know none
        kept = kept_counts(arrays, counts)
        share = kept / kept.sum()
        is_corrected = not parameters.sg and parameters.cbow_update != "word2vec"
        n_terms = parameters.objective_record.target_terms + parameters.n_negative
        if arrays.paths is not None:
            n_terms = float(share @ np.diff(arrays.paths.begin))
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
    """What is done with a chunk.  lr: at most what was asked for."""

    block: BlockShape
    lr: float


class BlockRule:
    """Chooses blocks for a learning rate."""

    def __init__(self, parameters: Parameters, load: Load) -> None:
        self.parameters, self.load = parameters, load
        self.sg, self.record = parameters.sg, parameters.objective_record
        self.bounds = SKIPGRAM_BOUNDS if parameters.sg else CBOW_BOUNDS
        self.n_negative = parameters.n_negative
        self.max_block = full_block(parameters)
        self.max_lump = self._max_lump()
        self.max_lr = self._max_lr()
        self._first_lr = min(parameters.first_rate, self.max_lr)
        self._chosen: dict[float, BlockShape] = {}  # by octaves below the first learning rate

    def step(self, lr: float) -> Step:
        """Return the block for a learning rate, and the rate itself, held to max_lr."""
        held = min(lr, self.max_lr)
        octaves = float(OCTAVES)
        if held > self._first_lr * 2.0**-OCTAVES:
            octaves = math.floor(LR_STEPS * math.log2(self._first_lr / held)) / LR_STEPS
        return Step(self._block(octaves), held)

    def _block(self, octaves: float) -> BlockShape:
        """Return the block for learning rates from so many octaves below the first one on."""
        if octaves not in self._chosen:
            shape = self._shape(self._first_lr * 2.0**-octaves)
            max_steps = self.max_block.interleaved_steps
            self._chosen[octaves] = _as_asked(self.parameters, shape, max_steps)
        return self._chosen[octaves]

    def describe(self, first_lr: float, last_lr: float) -> str:
        """Return the blocks of a run as people read them: at its first and last learning rate."""
        first, last = self.step(first_lr), self.step(last_lr)
        text = self._described(first.block)
        if last.block != first.block:
            text = f"{text}; at the end {self._described(last.block)}"
        if first.lr < first_lr:
            text = f"{text}; learning rate held to {self.max_lr:.3g}"
        return text

    def _described(self, shape: BlockShape) -> str:
        text = f"{shape.centres} centre{'s' if shape.centres > 1 else ''}"
        if self.n_negative:
            text = f"{text} x {shape.noise} negative samples"
            if shape.interleaved_steps > 1:
                text = f"{text} in {shape.interleaved_steps} steps"
            if shape.reuse > 1:
                text = f"{text}, each for {shape.reuse} blocks"
        if shape.contexts <= 2 * self.load.reach:
            text = f"{text}, {shape.contexts} contexts a step"
        return text

    def largest(self) -> BlockShape:
        """Return the most of each number that the run asks for."""
        noise = self.max_block.noise
        if callable(self.parameters.schedule) and not self.parameters.block_noise:
            noise = max(noise, self.bounds.noise if self.n_negative else 1)
        else:
            steps = range(OCTAVES * LR_STEPS + 1)
            noise = max(noise, *(self._block(i / LR_STEPS).noise for i in steps))
        return self.max_block._replace(noise=noise)

    def _max_lump(self) -> float:
        """Return what a negative sample may stand for; it grows with the run without a jump."""
        load = self.load
        if load.n_kept >= MANY_TOKENS:
            return math.inf
        sights = max(load.n_kept, 1.0) / load.n_words
        short = min(SHORT_RUN_LUMP, LUMP_OF_ONE_SIGHT * sights)
        short *= min(1.0, load.n_words / FEW_WORDS) * (1.0 if self.sg else CBOW_LUMP)
        return max(short, LONG_RUN_LUMP * (load.n_kept / MANY_TOKENS) ** 2)

    def _max_lr(self) -> float:
        """Return the learning rate up to which the smallest step is stable."""
        load = self.load
        repeated = 0.0 if self.sg else load.n_contexts * load.repeats
        boost = max(1.0, load.boost / USUAL_BOOST)
        of_input = self.record.max_smallest_move / (load.n_terms * (boost + repeated))
        if not (self.sg or self.parameters.cbow_mean):
            of_input *= self.record.sum_share
        return min(of_input, self.bounds.output_move / self._of_one(self.bounds.noise))

    def _of_one(self, noise: int) -> float:
        """Return the predictions that a step of one brings to an output row at most, on average.

        In skip-gram other threads bring theirs to the same row; in CBOW no effect was seen.
        """
        load = self.load
        n_threads = load.concurrency if self.sg else 1
        of_centre = 1.0 + (n_threads - 1) * load.top_word
        of_noise = self.n_negative * max(1 / noise, load.top_noise * n_threads)
        return load.pairs_of_top * max(of_noise + load.top_word * n_threads, of_centre)

    def _shape(self, lr: float) -> BlockShape:
        """Return the largest block that keeps all bounds."""
        for centres in _smaller(self.max_block):
            n_steps = min(self.max_block.interleaved_steps, centres)
            shape = self.max_block._replace(centres=centres, interleaved_steps=n_steps)
            if self.n_negative:
                shape = self._with_noise(shape, lr)
            if centres == 1 or self._holds(shape, lr):
                break
        if self.n_negative:
            shape = shape._replace(noise=min(shape.noise, self.bounds.noise))
        if shape.centres == 1 and self.sg:
            shape = shape._replace(contexts=self._contexts(lr, shape.noise))
        return shape

    def _predictions(self, shape: BlockShape) -> float:
        """Return how many predictions share the negative samples of a step."""
        per_centre = self.load.n_contexts if self.sg else 1.0
        return shape.centres / shape.interleaved_steps * per_centre

    def _with_noise(self, shape: BlockShape, lr: float) -> BlockShape:
        """Return the shape with the negative samples that its predictions need.

        Each of them serves several blocks only where the run averages out that much noise.
        """
        least = shape.noise
        rounded = self.parameters.mode.bfloat16_block
        if rounded is not None and self.load.n_kept < MANY_TOKENS:
            least = rounded.noise  # the same on every CPU
        draws = self._predictions(shape) * self.n_negative
        stable = math.ceil(lr * draws / self.bounds.output_move)
        for reuse in _halved(shape.reuse):
            # By the first rate: with that of the moment the noise would not fall with the rate.
            few = math.ceil(max(self._first_lr, lr) * draws * reuse / self.max_lump)
            if few <= least:
                break
        if shape.centres == 1:
            few = min(few, COLUMNS)  # there is no smaller step, and each of them takes time
        return shape._replace(noise=max(least, stable, few), reuse=reuse)

    def _holds(self, shape: BlockShape, lr: float) -> bool:
        """Return whether no row moves too far in a block of two centres or more."""
        load, n = self.load, shape.centres
        if self.n_negative and shape.noise > self._noise_room(shape):
            return False
        of_word = n * load.top_word * load.concurrency
        predictions = self._predictions(shape)
        noise = predictions * self.n_negative * load.top_noise * load.concurrency
        moves = self.record.target_moves * of_word
        wanted = max(moves, 1.0) * (load.n_contexts if self.sg else 1.0)
        if lr * (noise + wanted) * load.pairs_of_top > self.bounds.output_move:
            return False
        if self.sg:
            paired = min(n, 2 * load.reach) + of_word * load.n_contexts
        else:
            around = load.n_contexts * load.top_word
            paired = min(n, load.n_contexts) * (1 + of_word + around)
        return lr * load.n_terms * paired <= self.bounds.input_move

    def _noise_room(self, shape: BlockShape) -> int:
        return COLUMNS - shape.centres if self.sg else self.bounds.noise

    def _contexts(self, lr: float, noise: int) -> int:
        """Return how many contexts of one centre a skip-gram step may take."""
        load, most = self.load, 2.0 * self.load.reach + 1
        if lr == 0:
            return int(most)
        of_word = load.top_word * load.concurrency
        by_input = (self.bounds.input_move / (lr * load.n_terms) - 1) / of_word
        root_move = self.record.max_root_move
        if root_move is not None:
            by_output = root_move / lr * min(1.0, load.n_words / FEW_WORDS)
        else:
            by_output = self.bounds.output_move / (lr * self._of_one(noise))
        return max(1, int(min(by_input, by_output, most)))


def _smaller(block: BlockShape) -> list[int]:
    """Return numbers of centres from a block's own down to 1, as many for each step if possible."""
    n_steps = block.interleaved_steps
    return [
        *range(block.centres, n_steps, -n_steps),
        *range(min(n_steps, block.centres), 0, -1),
    ]


def _halved(reuse: int) -> list[int]:
    """Return a number and its halves down to 1."""
    return [reuse >> i for i in range(reuse.bit_length())]
