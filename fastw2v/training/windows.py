"""Windows: how far to the left and right of a word its contexts reach."""

from typing import Any, Final, NamedTuple

import numpy as np

from fastw2v.base.checks import check_integer
from fastw2v.errors import UsageError

Window = int | tuple[int, int]

SIDES: Final = ("left", "right")

LONG_SENTENCE = 1000  # tokens from which on the ends of sentences hardly count


def check_window(value: Any) -> Window:
    """Return a window: an integer >= 1, or (left, right), each >= 0 and one of them >= 1.

    A list of two, as TOML and JSON have it, becomes a tuple.  Raises UsageError for all else.
    """
    if not isinstance(value, list | tuple):
        check_integer("window", value, 1)
        return int(value)
    if len(value) != len(SIDES):
        raise UsageError(f"window must be an integer or a pair (left, right), got {value!r}")
    for side, size in zip(SIDES, value, strict=True):
        check_integer(f"the {side} side of window", size, 0)
    if not any(value):
        raise UsageError("window must reach at least 1 word on one side, got (0, 0)")
    return int(value[0]), int(value[1])


def window_sides(window: Window) -> tuple[int, int]:
    """Return the most words to the left and to the right."""
    return window if isinstance(window, tuple) else (window, window)


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
    short = range(1, int(longest) + 1)  # reaches that the sentence does not cut off
    total = sum(_within(reach, sentence_tokens) for reach in short)
    return (total + (size - len(short)) * _within(longest, sentence_tokens)) / size


def _within(reach: float, sentence_tokens: float) -> float:
    """Return the mean number of tokens within reach on one side; reach is below the length."""
    return reach - reach * (reach + 1) / (2 * sentence_tokens)


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
