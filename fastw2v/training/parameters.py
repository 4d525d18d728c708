"""What a run is asked to do: every setting, its range, and the default that measured best."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from fastw2v import _core
from fastw2v.checks import check_choice, check_finite, check_flag, check_integer
from fastw2v.errors import UsageError
from fastw2v.sampling import NOISE_POWER
from fastw2v.training.schedule import Schedule, check_schedule, rate_at, schedule_name
from fastw2v.training.windows import Window, check_window, expected_contexts

OBJECTIVES = {
    "ns": "negative sampling",
    "hs": "hierarchical softmax",
    "softmax": "full softmax",
}
CBOW_UPDATES = ("corrected", "word2vec")

DEFAULT_NEGATIVE = 5  # word2vec.c and gensim; Mikolov et al. 2013 (1310.4546): 5-20, section 2.2

# The full softmax scores every word for every input: past this it takes days.
SOFTMAX_MAX_WORDS = 50_000

DEFAULT_MIN_ALPHA = 1e-4  # gensim; of a lower alpha, that alpha

# Learning rates by (is skip-gram, objective).
DEFAULT_ALPHA = {
    (True, "ns"): 0.025,
    (True, "hs"): 0.025,
    (True, "softmax"): 0.025,
    (False, "ns"): 0.1,
    (False, "hs"): 0.05,
    (False, "softmax"): 0.1,
}
# CBOW's corrected gradient is multiplied by the contexts expected, so that the few of a short
# sentence move far at once: above the 6 contexts of window 5 its default falls with their root.
# With 0.1 instead, 100 MB of Wikipedia, 2 epochs (analogies, WS353, SimLex, MEN): window 20
# 19.0 / 68.1 / 23.2 / 58.3, and 23.6 / 67.5 / 27.5 / 57.1 so; baskets, 20 noise words, window 75:
# 14.8 % and 26.6 % of the items held out are found, as examples/baskets.py counts.  Hierarchical
# softmax with window 40: 24.9 / 64.1 / 22.1 / 56.1 so, 23.3 / 63.9 / 20.4 / 56.9 at 0.035; window
# 75 on 5 MB, 10 epochs: 3.8 / 47.7 / 10.2 / 47.9 and 2.2 / 44.8 / 7.2 / 43.9.
CBOW_CONTEXTS = 6.0


class BlockShape(NamedTuple):
    """Consecutive centres per block, noise words they share, blocks that a noise word serves.

    turns: the steps of a CBOW block with negative sampling, each of every turns-th centre, with
    noise words of its own; see noise.h.
    """

    centres: int
    noise: int
    noise_reuse: int
    turns: int = 1

    def centres_for(self, n_words: int, noise_each: float = 0.0) -> int:
        """Return how many centres a block has at most, but for the full softmax.

        n_words: of the vocabulary.  A word that stands often in a block takes all its steps at
        once, which diverges earlier: with 50 words of random text at a rate of 0.05 for 20
        centres, 0.14 for 6.  noise_each: noise words that a block needs for each of its centres;
        see MOST_DRAWS_OF_ONE.
        """
        most = max(LEAST_CENTRES, n_words // WORDS_PER_CENTRE)
        if noise_each > 0:
            most = min(most, max(1, int(self.noise / noise_each)))
        return min(self.centres, most)


LEAST_CENTRES, WORDS_PER_CENTRE = 6, 50

# What reaches gensim's quality in the least time (benchmarks/NOTES.md): fewer noise words a block
# cost analogies, and SimLex if they serve many blocks. Products of bfloat16 are so fast that larger
# blocks pay, which take more of them and fewer rows a word; but a CBOW turn is too small for them.
CBOW_BLOCK = BlockShape(48, 8, 4, turns=6)
PATH_BLOCK_CENTRES = 16  # of CBOW with hierarchical softmax
SKIPGRAM_BLOCK = BlockShape(6, 10, 2)
BFLOAT16_SKIPGRAM_BLOCK = BlockShape(20, 12, 2)
BFLOAT16_BACKENDS = ("avx512bf16", "amx")
# Draws of noise words, over all pairs of a skip-gram block, that may act at once on the same old
# rows.  Baskets, window 75, 20 noise words a pair: 16 centres diverge with the default rate, and
# 2, which this gives, find 26.6 % (gensim 26.0 %).  English with window 5 and 5 a pair is at 600.
MOST_DRAWS = 6000
# And those that one noise word of a block may stand for, all in one step, by is skip-gram.  5 MB of
# Wikipedia at the default rate.  Skip-gram with window 10 and 15 noise words a pair: 16 x 12 (212)
# and 20 x 12 diverge, 14 x 12 stands; 7 x 12 (93) has 58.5 for WS353 after 10 epochs, 12 x 12 55.1.
# CBOW with 20 noise words and one turn: 16 x 16 (20) diverges, 12 x 16 stands.  By default they
# are 48 and 5.
MOST_DRAWS_OF_ONE = {True: 100, False: 10}
# The loss is measured on every n-th block. Of one thread's speed 16 cost 0.7 % in skip-gram, 1.4 %
# with hierarchical softmax, and 0.1 % at most in CBOW (medians of 25 pairs); 8 cost up to 2.5 %.
LOSS_EVERY = 16
SOFTMAX_BLOCK_CENTRES = 32  # enough rows for the matrix products to run at full speed


def usable_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_backend(asked: str | None) -> str:
    """Return the backend asked for, by argument or FASTW2V_BACKEND, or else the fastest.

    Raises UsageError if this CPU or this build does not have it.
    """
    available = _core.backends()
    name = asked or os.environ.get("FASTW2V_BACKEND") or available[-1]
    if name not in available:
        raise UsageError(f"backend must be one of {', '.join(available)}, got {name!r}")
    return name


@dataclass(frozen=True)
class Parameters:
    """The settings of a run; gensim's names where gensim has one.

    vector_size: dimension, >= 1.  window: words on either side, >= 1, or (left, right), each
    >= 0; shrink_windows draws each centre's reach from 1..window, on each side by the same draw.
    sg: skip-gram, else CBOW.  objective: "ns", "hs" or "softmax".  bias: train output biases.
    negative: noise words per prediction, >= 1; ns_exponent: power of the counts they follow.
    sample: subsampling threshold >= 0, see keep_probabilities; 0 keeps every token.
    alpha: first learning rate, >= 0, None for the model's default.  schedule: "linear" or
    "cosine" to min_alpha, >= 0, "constant", or a function from the progress over all epochs,
    in 0..1, to the rate; it is called in the threads that train.
    epochs: >= 1.  workers: threads, None for all cores.  seed: >= 0, governs every draw.
    deterministic: the same bits for the same workers, whatever their timing; see rounds.
    cbow_mean: CBOW's hidden row is the mean of its context rows, else their sum.
    cbow_update: "corrected" divides the gradient among the context words (Irsoy et al. 2021,
    2012.15332), times the expected number of them so that alpha keeps its meaning; "word2vec"
    leaves it undivided.  Of a sum, it is the corrected one that is whole, and gensim's that is
    divided.  See steps_by_contexts for hierarchical softmax.
    block_centres, block_noise: centres per block, fewer with less than 50 words of the vocabulary
    for each, or by default where a noise word would stand for too many draws, and noise words they
    share; noise_reuse: how many blocks in a row each noise word serves; each >= 1, None for the
    model's default.  CBOW takes several steps a block, each of every n-th centre, with noise words
    of its own.  Hierarchical softmax takes blocks for CBOW's hidden rows alone.
    loss_every: the loss is measured on every n-th block, >= 1.
    backend: a name of fastw2v.backends(), None for the fastest.
    """

    vector_size: int = 100
    window: Window = 5
    shrink_windows: bool = True
    sg: bool = False
    objective: str = "ns"
    bias: bool = False
    negative: int = DEFAULT_NEGATIVE
    ns_exponent: float = NOISE_POWER
    sample: float = 1e-3
    alpha: float | None = None
    min_alpha: float = DEFAULT_MIN_ALPHA
    schedule: Schedule = "linear"
    epochs: int = 5
    workers: int | None = None
    seed: int = 1
    deterministic: bool = False
    cbow_mean: bool = True
    cbow_update: str = "corrected"
    block_centres: int | None = None
    block_noise: int | None = None
    noise_reuse: int | None = None
    loss_every: int = LOSS_EVERY
    backend: str | None = None

    def __post_init__(self) -> None:
        for name in ("vector_size", "negative", "epochs", "loss_every"):
            check_integer(name, getattr(self, name), 1)
        object.__setattr__(self, "window", check_window(self.window))
        for name in ("workers", "block_centres", "block_noise", "noise_reuse"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), 1)
        check_integer("seed", self.seed, 0)
        for name in ("sg", "shrink_windows", "bias", "cbow_mean", "deterministic"):
            check_flag(name, getattr(self, name))
        check_choice("objective", self.objective, tuple(OBJECTIVES))
        check_choice("cbow_update", self.cbow_update, CBOW_UPDATES)
        check_finite("ns_exponent", self.ns_exponent)
        if check_finite("sample", self.sample) < 0:
            raise UsageError(f"sample must be at least 0, got {self.sample}")
        if self.alpha is not None and check_finite("alpha", self.alpha) < 0:
            raise UsageError(f"alpha must be at least 0, got {self.alpha}")
        check_schedule(self.schedule)
        highest = self.first_rate if self.schedule in ("linear", "cosine") else math.inf
        if self.min_alpha == DEFAULT_MIN_ALPHA:
            object.__setattr__(self, "min_alpha", min(DEFAULT_MIN_ALPHA, highest))
        if not 0 <= check_finite("min_alpha", self.min_alpha) <= highest:
            raise UsageError(
                f"min_alpha must be between 0 and alpha ({self.first_rate}), got {self.min_alpha}"
            )

    @property
    def first_rate(self) -> float:
        """The learning rate at the start."""
        return self.default_rate if self.alpha is None else self.alpha

    @property
    def default_rate(self) -> float:
        """The learning rate at the start where none is given."""
        rate = DEFAULT_ALPHA[self.sg, self.objective]
        if self.sg or self.cbow_update != "corrected":
            return rate
        return rate * math.sqrt(min(1.0, CBOW_CONTEXTS / self.expected_contexts(math.inf)))

    def rate_at(self, progress: float) -> float:
        """Return the learning rate after the share `progress` of all epochs' tokens, in 0..1."""
        return rate_at(self.schedule, self.first_rate, self.min_alpha, progress)

    @property
    def steps_by_contexts(self) -> bool:
        """Whether the step of a CBOW centre is proportional to its context words, 1 on average.

        Then each context counts the same, as in skip-gram.  Means of 100 MB of Wikipedia after 3
        epochs (analogies, WS353, SimLex, MEN): hierarchical softmax so 24.6 / 59.7 / 24.8 / 55.4
        (13 runs, 5 seeds), steps all alike 22.9 to 23.1 analogies, the undivided gradient 25.0 /
        60.3 / 24.2 / 55.6 (3 seeds); but negative sampling 26.7 / 64.3 / 27.7 / 58.7, and steps
        all alike 27.8 / 63.6 / 28.2 / 59.1.  With sums of 75 items it blew up.
        """
        by_mean = not self.sg and self.cbow_mean and self.cbow_update == "corrected"
        return by_mean and self.objective == "hs"

    @property
    def block_shape(self) -> BlockShape:
        """How many words a block step takes at once."""
        is_rounded = choose_backend(self.backend) in BFLOAT16_BACKENDS
        skipgram_block = BFLOAT16_SKIPGRAM_BLOCK if is_rounded else SKIPGRAM_BLOCK
        block = skipgram_block if self.sg else CBOW_BLOCK
        centres = block.centres
        if self.objective == "softmax":
            centres = SOFTMAX_BLOCK_CENTRES
        elif self.objective == "hs":
            centres = PATH_BLOCK_CENTRES
        if self.sg and self.objective == "ns":
            draws_each = self.negative * self.expected_contexts(math.inf)
            centres = max(1, min(centres, int(MOST_DRAWS / draws_each)))
        return BlockShape(
            self.block_centres or centres,
            self.block_noise or block.noise,
            self.noise_reuse or block.noise_reuse,
            block.turns if self.objective == "ns" else 1,
        )

    @property
    def n_threads(self) -> int:
        """Threads that train."""
        return self.workers or usable_cores()

    def expected_contexts(self, sentence_tokens: float) -> float:
        """Return how many context words a token has on average.

        sentence_tokens: the mean length of a sentence, >= 1, which may be below the window.
        """
        return expected_contexts(self.window, self.shrink_windows, sentence_tokens)

    def effective(self) -> dict[str, Any]:
        """Return every setting with the defaults filled in, as stored in the model."""
        block = self.block_shape
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "alpha": self.first_rate,
            "schedule": schedule_name(self.schedule),
            "block_centres": block.centres,
            "block_noise": block.noise,
            "noise_reuse": block.noise_reuse,
            "workers": self.n_threads,
        }

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> "Parameters":
        """Return the parameters named in a mapping; other keys are a UsageError."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise UsageError(
                f"unknown setting {unknown[0]!r}; accepted are {', '.join(sorted(known))}"
            )
        return cls(**settings)


def loss_name(parameters: Parameters) -> str:
    """Return which loss a run reports: losses of two names do not compare."""
    name = OBJECTIVES[parameters.objective]
    return f"{name}, {parameters.negative} noise words" if parameters.objective == "ns" else name


def choose_objective(hs: int | bool, negative: int | None, softmax: bool) -> tuple[str, int]:
    """Return the one objective that gensim's and word2vec.c's flags ask for, and K.

    hs, softmax: true to choose them.  negative: noise words, 0 for none, None if not said.
    Raises UsageError if they ask for two objectives or for none.
    """
    asked = {"hs": bool(hs), "softmax": bool(softmax), "negative": bool(negative)}
    chosen = [name for name, is_asked in asked.items() if is_asked]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(chosen)} contradict each other: a model has one objective; "
            f"leave out all but one{', or set negative=0' if negative else ''}"
        )
    if not chosen and negative == 0:
        raise UsageError("negative=0 leaves nothing to train: set negative, hs or softmax")
    objective = chosen[0] if chosen else "negative"
    return ("ns" if objective == "negative" else objective), negative or DEFAULT_NEGATIVE
