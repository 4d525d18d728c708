"""Validate user input; each error names the parameter, its value and the accepted values."""

import math
import numbers
import operator
import os
from typing import Any

from fastw2v.errors import UsageError

MAX_SHOWN = 200  # characters of a value in a message
MOST = 2**31 - 1  # the kernels store settings as int32


def check_integer(name: str, value: Any, least: int, most: int = MOST) -> int:
    """Return value as an int; raise UsageError unless it is an integer in [least, most]."""
    is_array = hasattr(value, "__array__") and not isinstance(value, numbers.Integral)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or is_array or isinstance(value, bool):
        raise UsageError(f"{name} must be an integer, got {shown(value)}")
    if number < least:
        raise UsageError(f"{name} must be at least {least}, got {shown(number)}")
    if number > most:
        raise UsageError(f"{name} must be at most {most}, got {shown(number)}")
    return number


def check_finite(name: str, value: Any) -> float:
    """Return value as a float; raise UsageError unless it is a finite number."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise UsageError(f"{name} must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{name} must be finite, got {value}")
    return number


def check_flag(name: str, value: Any) -> None:
    """Raise UsageError unless value is True, False, 1 or 0."""
    if not is_among(value, (0, 1)):
        raise UsageError(f"{name} must be True or False, got {shown(value)}")


def check_path(name: str, value: Any) -> None:
    """Raise UsageError unless value is a path that a file can have."""
    try:
        is_path = b"\0" not in os.fsencode(value)
    except (TypeError, UnicodeEncodeError):  # the second: a surrogate that no file name has
        is_path = False
    if not is_path or isinstance(value, bytes):
        raise UsageError(f"{name} must be a path, got {shown(value)}")


def check_choice(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    """Raise UsageError unless value is in `accepted`."""
    if not is_among(value, accepted):
        raise UsageError(f"{name} must be one of {', '.join(accepted)}, got {shown(value)}")


def check_function(name: str, value: Any) -> None:
    """Raise UsageError unless value is None or can be called."""
    if value is not None and not callable(value):
        raise UsageError(f"{name} must be a function or None, got {shown(value)}")


def as_list(values: Any, name: str, of: str) -> list[Any]:
    """Return the items of an iterable.  Raises UsageError for anything else.  of: its items."""
    try:
        return list(values)
    except TypeError:
        raise UsageError(f"{name} must be a list of {of}, got {shown(values)}") from None


def is_among(value: Any, accepted: tuple[Any, ...]) -> bool:
    """Return whether value is accepted; a NumPy array, whose == is an array, never is."""
    try:
        return not getattr(value, "ndim", 0) and not isinstance(value, list) and value in accepted
    except Exception:  # of an == that raises, such as that of Decimal("sNaN")
        return False


def shown(value: Any) -> str:
    """Return a value for a message of one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
