"""Validate user input; each error names the parameter, its value and the accepted values."""

import math
import numbers
import operator
import os
from typing import Any

from fastw2v.errors import UsageError

MOST = 2**31 - 1  # the kernels store settings as int32


def check_integer(name: str, value: Any, least: int, most: int = MOST) -> None:
    """Raise UsageError unless value is an integer in [least, most]."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise UsageError(f"{name} must be an integer, got {value!r}")
    if number < least:
        raise UsageError(f"{name} must be at least {least}, got {value}")
    if number > most:
        raise UsageError(f"{name} must be at most {most}, got {value}")


def check_finite(name: str, value: Any) -> float:
    """Return value as a float; raise UsageError unless it is a finite number."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise UsageError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{name} must be finite, got {value}")
    return number


def check_flag(name: str, value: Any) -> None:
    """Raise UsageError unless value is True, False, 1 or 0."""
    if value not in (0, 1):
        raise UsageError(f"{name} must be True or False, got {value!r}")


def check_path(name: str, value: Any) -> None:
    """Raise UsageError unless value is a path."""
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name} must be a path, got {value!r}")


def check_choice(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    """Raise UsageError unless value is in `accepted`."""
    if value not in accepted:
        raise UsageError(f"{name} must be one of {', '.join(accepted)}, got {value!r}")
