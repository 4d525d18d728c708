"""What a run is asked to do: every setting, its range, and the default that measured best.

Windows and schedules of the learning rate are settings with rules of their own.
"""

import math
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple

import numpy as np

from fastw2v import _core
from fastw2v.base.checks import (
    check_choice,
    check_finite,
    check_flag,
    check_integer,
    is_among,
    shown,
)
from fastw2v.base.threads import usable_cores
from fastw2v.errors import UsageError
from fastw2v.sampling import NOISE_POWER
from fastw2v.training.objectives import (
    DEFAULT,
    DEFAULT_NEGATIVE,
    OBJECTIVES,
    Mode,
    Objective,
    choose_objective,
)

Window = int | tuple[int, int]

SIDES: Final = ("left", "right")
MAX_WINDOW = 2**63 - 1  # int64 in the kernels; no longer window differs from a whole sentence

LONG_SENTENCE = 1000  # tokens; beyond this length the ends of sentences hardly matter


def check_window(value: Any) -> Window:
    """Return a window: an integer >= 1, or (left, right), each >= 0 and one of them >= 1.

    A list of two, as TOML and JSON have it, becomes a tuple.  Raises UsageError for all else.
    """
    if not isinstance(value, list | tuple):
        return check_integer("window", value, 1, MAX_WINDOW)
    if len(value) != len(SIDES):
        raise UsageError(f"window must be an integer or a pair (left, right), got {shown(value)}")
    left, right = (
        check_integer(f"the {side} side of window", size, 0, MAX_WINDOW)
        for side, size in zip(SIDES, value, strict=True)
    )
    if not left and not right:
        raise UsageError("window must reach at least 1 word on one side, got (0, 0)")
    return left, right


def window_sides(window: Window) -> tuple[int, int]:
    """Return the most words to the left and to the right."""
    return window if isinstance(window, tuple) else (window, window)


# Where a token has more contexts than this many times their mean, its sentence is far longer than
# others.  A skip-gram step then takes a part of them, and CBOW counts them as this many.
CONTEXTS_OF_MEAN = 2.0


class Contexts(NamedTuple):
    """How many context words a token has.

    mean: at least 1.  inverse: mean of 1 / contexts, of the tokens that have any, within the
    sentences that subsampling leaves.
    """

    mean: float
    inverse: float


def expected_contexts(window: Window, shrinks: bool, sentence_tokens: float) -> float:
    """Return how many context words a token has on average, at least 1.

    shrinks: each side is drawn from 1 to its size.  sentence_tokens: the mean length of a
    sentence, >= 1, which may be below the window.
    """
    sides = window_sides(window)
    return max(1.0, sum(_mean_of_side(size, shrinks, sentence_tokens) for size in sides))


def _mean_of_side(size: int, shrinks: bool, sentence_tokens: float) -> float:
    longest = min(size, max(sentence_tokens - 1, 0.0))
    if not shrinks or size == 0:
        return _within(longest, sentence_tokens)
    n_short = int(longest)  # reaches that the sentence does not cut off, from 1 on
    n_summed = min(n_short, LONG_SENTENCE)
    total = sum(_within(reach, sentence_tokens) for reach in range(1, n_summed + 1))
    total += _sum_within(n_short, sentence_tokens) - _sum_within(n_summed, sentence_tokens)
    return (total + (size - n_short) * _within(longest, sentence_tokens)) / size


def _within(reach: float, sentence_tokens: float) -> float:
    """Return the mean number of tokens within reach on one side; reach is below the length."""
    return reach - reach * (reach + 1) / (2 * sentence_tokens)


def _sum_within(reach: int, sentence_tokens: float) -> float:
    """Return the sum of _within over all reaches from 1 on."""
    return reach * (reach + 1) / 2 - reach * (reach + 1) * (reach + 2) / (6 * sentence_tokens)


def expected_inverse(window: Window, shrinks: bool, sentence_tokens: float) -> float:
    """Return the mean of 1 / contexts, of tokens that have any.

    shrinks: each side is drawn from 1 to its size.  sentence_tokens: the mean length of a
    sentence, >= 1.
    """
    length = round(min(max(sentence_tokens, 2), LONG_SENTENCE))
    sides = window_sides(window)
    n_draws = min(max(sides), LONG_SENTENCE) if shrinks else 1
    draws = (np.arange(n_draws) + 0.5) / n_draws if shrinks else np.zeros(1)
    before = np.arange(length)[:, None]
    left, right = (size - np.floor(size * draws) for size in sides)
    n_contexts = np.minimum(left, before) + np.minimum(right, length - 1 - before)
    return float((1 / n_contexts[n_contexts > 0]).mean())


# A name, or a function that maps the share of all epochs' tokens, in 0..1, to a learning rate.
Schedule = str | Callable[[float], float]
OWN = "own: "  # prefix for a user's function in files, which cannot hold the function itself


def linear_rate(first: float, last: float, progress: float) -> float:
    """Return the learning rate after `progress`, the share of all epochs' tokens in 0..1.

    It falls on a straight line from first to last (Mikolov et al. 2013, 1301.3781, section 4).
    """
    return first + (last - first) * progress


def constant_rate(first: float, last: float, progress: float) -> float:
    """Return the first learning rate."""
    return first


def cosine_rate(first: float, last: float, progress: float) -> float:
    """Return the learning rate on half a cosine from first to last, flat at both ends.

    Reference: Loshchilov and Hutter 2017 (1608.03983), section 3, without restarts.
    """
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES = {"linear": linear_rate, "constant": constant_rate, "cosine": cosine_rate}


def check_schedule(schedule: Any) -> None:
    """Raise UsageError unless it is in SCHEDULES or a function that returns learning rates."""
    if isinstance(schedule, str) and schedule in SCHEDULES:
        return
    if isinstance(schedule, type) or not callable(schedule):
        raise UsageError(
            f"schedule must be {', '.join(SCHEDULES)} or a function of the progress from 0 to 1, "
            f"got {shown(schedule)}"
        )
    for progress in (0.0, 0.5, 1.0):
        rate_at(schedule, 0.0, 0.0, progress)


def rate_at(schedule: Schedule, first: float, last: float, progress: float) -> float:
    """Return the learning rate after `progress`.

    Raises UsageError if a user's function returns none.
    """
    if isinstance(schedule, str):
        return SCHEDULES[schedule](first, last, progress)
    rate = schedule(progress)
    try:
        if math.isfinite(rate) and rate >= 0:
            return float(rate)
    except TypeError:
        pass
    raise UsageError(
        f"schedule must return learning rates of at least 0, got {shown(rate)} at {progress:.6g}"
    )


def schedule_name(schedule: Schedule) -> str:
    """Return what a file calls a schedule."""
    if isinstance(schedule, str):
        return schedule
    name = getattr(schedule, "__qualname__", type(schedule).__qualname__)
    return f"{OWN}{getattr(schedule, '__module__', None)}:{name}"


CBOW_UPDATES = ("corrected", "word2vec")
BOTH_BIASES = "both"  # output side and input side

DEFAULT_MIN_ALPHA = 1e-4  # as in gensim; a lower alpha lowers it to alpha

# CBOW's corrected gradient is multiplied by the expected number of contexts.  The few contexts of a
# short sentence then move far at once.  Above the 6 contexts of window 5, the default learning rate
# falls with the square root of their number (benchmarks/NOTES.md, "CBOW's rate").
CBOW_CONTEXTS = 6.0
# A word is never its own context.  A CBOW model trained for long learns this too, which pushes
# apart the vectors of words that occur together.  The default learning rate is therefore limited:
# learning rate * occurrences of the median word * epochs <= the objective's max_learning.  Words
# with fewer than MIN_SEEN occurrences per epoch, most words of a text, count as MIN_SEEN.
MIN_SEEN = 50
# If words are more frequent and this limit would push the learning rate below this share of the
# default, the default update is the undivided one of word2vec.c, at gensim's learning rate.  It
# learns that a word is not its own context only later.
MIN_CORRECTED_SHARE, UNDIVIDED_ALPHA = 0.5, 0.025
# The loss is measured on every n-th block.  This costs up to 1.4 % of one thread's speed.
LOSS_EVERY = 16
# Scratch grows with the product of a block's numbers.  Blocks of hundreds of centres diverge.
MAX_BLOCK = 1000
SEED_BITS = 31  # bits of a randomly chosen seed
BFLOAT16_BACKENDS = ("avx512bf16", "amx")


def choose_backend(asked: str | None) -> str:
    """Return the backend asked for, by argument or FASTW2V_BACKEND, or else the fastest.

    Raises UsageError if this CPU or this build does not have it.
    """
    available = _core.backends()
    default = os.environ.get("FASTW2V_BACKEND") or available[-1]
    name = default if asked is None else asked
    check_choice("backend", name, tuple(available))
    return name


@dataclass(frozen=True)
class Parameters:
    """The settings of a run, with gensim's names where gensim has the setting.

    vector_size: dimension, >= 1.
    window: context words on either side, >= 1, or (left, right), each >= 0.
    shrink_windows: draw each centre's reach from 1..window; both sides use the same draw.
    sg: True for skip-gram, False for CBOW.
    objective: a name in OBJECTIVES.
    bias: True trains a bias for each output.  "both" also trains a bias vector b on the input
    side, which is added to every row: h = Wx + b.  A sum of n context rows contains it n times.
    The vectors contain it too, and therefore cannot be frozen.
    negative: negative samples per prediction, >= 1.
    ns_exponent: power of the word counts in the noise distribution.
    sample: subsampling threshold >= 0, see keep_probabilities; 0 keeps every token.
    alpha: initial learning rate, >= 0; None for the default.
    min_alpha: final learning rate, between 0 and alpha.
    schedule: "linear" or "cosine" decay to min_alpha, "constant", or a function that maps the
    progress over all epochs, in 0..1, to the learning rate.  Training threads call the function.
    epochs: passes over the corpus, >= 1.
    workers: threads, >= 1; None for all cores.
    seed: >= 0, determines every random draw.
    deterministic: bit-identical results for equal `workers`, whatever their timing; see rounds.
    cbow_mean: CBOW's hidden row is the mean of its context rows, else their sum, in which more
    contexts than CONTEXTS_OF_MEAN times the mean number count as that many.
    cbow_update: how CBOW applies the gradient to its context words; affects CBOW only.
    "corrected" (Irsoy et al. 2021, 2012.15332) divides the gradient among the context words and
    multiplies it by their expected number, which keeps the scale of alpha.  "word2vec" adds the
    undivided gradient to each.  With cbow_mean=False it is the reverse: "corrected" is undivided,
    and "word2vec" divides, as gensim does.  None is "corrected", except with hierarchical
    softmax and on corpora of few, very frequent words, where it is "word2vec"; see resolved.
    block_centres: centres per block.  block_noise: negative samples that they share.
    noise_reuse: consecutive blocks that each negative sample serves.  All three are in
    1..MAX_BLOCK; None lets blocks.BlockRule choose for the corpus and the current learning rate.
    A CBOW block has several steps, each with every n-th centre and its own negative samples.
    Hierarchical softmax uses blocks only for CBOW's hidden rows.
    loss_every: measure the loss on every n-th block, >= 1.
    backend: a name in fastw2v.backends(); None for the fastest.
    """

    vector_size: int = 100
    window: Window = 5
    shrink_windows: bool = True
    sg: bool = False
    objective: str = DEFAULT.name
    bias: bool | str = False
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
    cbow_update: str | None = None
    block_centres: int | None = None
    block_noise: int | None = None
    noise_reuse: int | None = None
    loss_every: int = LOSS_EVERY
    backend: str | None = None

    def __post_init__(self) -> None:
        for name in ("vector_size", "negative", "epochs", "loss_every"):
            self._keep(name, check_integer(name, getattr(self, name), 1))
        self._keep("window", check_window(self.window))
        if self.workers is not None:
            self._keep("workers", check_integer("workers", self.workers, 1))
        for name in ("block_centres", "block_noise", "noise_reuse"):
            if getattr(self, name) is not None:
                self._keep(name, check_integer(name, getattr(self, name), 1, MAX_BLOCK))
        self._keep("seed", check_integer("seed", self.seed, 0))
        for name in ("sg", "shrink_windows", "cbow_mean", "deterministic"):
            check_flag(name, getattr(self, name))
        if not is_among(self.bias, (False, True, BOTH_BIASES)):
            raise UsageError(f"bias must be True, False or {BOTH_BIASES!r}, got {shown(self.bias)}")
        check_choice("objective", self.objective, tuple(OBJECTIVES))
        if self.cbow_update is not None:
            check_choice("cbow_update", self.cbow_update, CBOW_UPDATES)
        self._keep("ns_exponent", check_finite("ns_exponent", self.ns_exponent))
        if check_finite("sample", self.sample) < 0:
            raise UsageError(f"sample must be at least 0, got {self.sample}")
        if self.alpha is not None and check_finite("alpha", self.alpha) < 0:
            raise UsageError(f"alpha must be at least 0, got {self.alpha}")
        self._keep("sample", float(self.sample))
        if self.alpha is not None:
            self._keep("alpha", float(self.alpha))
        choose_backend(self.backend)
        check_schedule(self.schedule)
        highest = self.first_rate if self.schedule in ("linear", "cosine") else math.inf
        if check_finite("min_alpha", self.min_alpha) == DEFAULT_MIN_ALPHA:
            self._keep("min_alpha", min(DEFAULT_MIN_ALPHA, highest))
        if not 0 <= self.min_alpha <= highest:
            raise UsageError(
                f"min_alpha must be between 0 and alpha ({self.first_rate}), got {self.min_alpha}"
            )
        self._keep("min_alpha", float(self.min_alpha))

    def _keep(self, name: str, value: Any) -> None:
        """Replace what was given by the plain number that it stands for."""
        object.__setattr__(self, name, value)

    @property
    def objective_record(self) -> Objective:
        """What belongs to the objective."""
        return OBJECTIVES[self.objective]

    @property
    def mode(self) -> Mode:
        """What belongs to the objective with skip-gram, or with CBOW."""
        return self.objective_record.mode(self.sg)

    @property
    def n_negative(self) -> int:
        """Negative samples per prediction, 0 if the objective draws none."""
        return self.negative if self.objective_record.draws_negatives else 0

    @property
    def first_rate(self) -> float:
        """The learning rate at the start."""
        return self.default_rate if self.alpha is None else self.alpha

    @property
    def default_rate(self) -> float:
        """The learning rate at the start where none is given and the corpus is unknown."""
        return self._default(self.expected_contexts(math.inf), MIN_SEEN)[0]

    def _default(self, n_contexts: float, n_seen: float) -> tuple[float, str]:
        """Return the default learning rate and CBOW update; see resolved."""
        rate, objective = self.mode.alpha, self.objective_record
        if self.sg:
            return rate, "corrected"
        limit = objective.max_learning / (self.epochs * max(n_seen, MIN_SEEN))
        is_often = n_seen > MIN_SEEN and limit < MIN_CORRECTED_SHARE * rate
        is_undivided = is_often or not objective.cbow_is_corrected
        update = self.cbow_update or ("word2vec" if is_undivided else "corrected")
        if update == "word2vec":
            return min(rate, UNDIVIDED_ALPHA if is_often else limit), update
        return min(rate * math.sqrt(min(1.0, CBOW_CONTEXTS / n_contexts)), limit), update

    def resolved(self, n_contexts: float, n_seen: float) -> "Parameters":
        """Return the same with alpha, cbow_update, workers and backend decided where they are None.

        n_contexts: expected of a token.  n_seen: how often subsampling keeps the median word in an
        epoch.  What stays None, the shape of blocks, is left to blocks.BlockRule.
        """
        alpha, update = self._default(n_contexts, n_seen)
        return replace(
            self,
            alpha=alpha if self.alpha is None else self.alpha,
            cbow_update=self.cbow_update or update,
            workers=self.n_threads,
            backend=choose_backend(self.backend),
        )

    @property
    def is_resolved(self) -> bool:
        """Whether all is decided that a corpus or a machine decides; see resolved."""
        return None not in (self.alpha, self.cbow_update, self.workers, self.backend)

    def rate_at(self, progress: float) -> float:
        """Return the learning rate after the share `progress` of all epochs' tokens, in 0..1."""
        return rate_at(self.schedule, self.first_rate, self.min_alpha, progress)

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
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "alpha": self.first_rate,
            "schedule": schedule_name(self.schedule),
            "cbow_update": self.cbow_update or "corrected",
            "workers": self.n_threads,
        }

    @classmethod
    def from_arguments(
        cls,
        flags: Mapping[str, int | bool],
        negative: int | None,
        seed: int | None,
        **settings: Any,
    ) -> "Parameters":
        """Return the parameters that a model's arguments ask for.

        flags: objectives.FLAGS, which choose the objective with negative, None if not given.
        seed: None for one that is drawn here.  settings: all other fields.
        Raises UsageError for an impossible or contradictory argument.
        """
        switches = {name: settings[name] for name in ("sg", "cbow_mean", "shrink_windows")}
        for name, value in {**flags, **switches}.items():
            check_flag(name, value)
        if negative is not None and not is_among(negative, (0,)):
            negative = check_integer("negative", negative, 1)
        objective, negative = choose_objective(flags, negative)
        settings |= {name: bool(value) for name, value in switches.items()}
        seed = secrets.randbits(SEED_BITS) if seed is None else seed
        return cls(objective=objective, negative=negative, seed=seed, **settings)

    def of_run(
        self, epochs: int | None, start_alpha: float | None, end_alpha: float | None
    ) -> "Parameters":
        """Return the parameters of one call of train; None leaves what the model has."""
        given: dict[str, Any] = {"epochs": epochs, "alpha": start_alpha, "min_alpha": end_alpha}
        return replace(self, **{name: v for name, v in given.items() if v is not None})

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
    label, n_negative = parameters.objective_record.label, parameters.n_negative
    return f"{label}, {n_negative} negative samples" if n_negative else label
