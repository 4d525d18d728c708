"""The learning rate over a run."""

import math
from collections.abc import Callable
from typing import Any

from fastw2v.errors import UsageError

# A name, or a function from the progress, the share of all epochs' tokens in 0..1, to the rate.
Schedule = str | Callable[[float], float]
OWN = "own: "  # how a file names a user's function, which it cannot hold


def linear_rate(first: float, last: float, progress: float) -> float:
    """Return the rate after `progress`, the share of all epochs' tokens in 0..1.

    It falls on a straight line from first to last (Mikolov et al. 2013, 1301.3781, section 4).
    """
    return first + (last - first) * progress


def constant_rate(first: float, last: float, progress: float) -> float:
    """Return the first rate."""
    return first


def cosine_rate(first: float, last: float, progress: float) -> float:
    """Return the rate on half a cosine from first to last, flat at both ends.

    Reference: Loshchilov and Hutter 2017 (1608.03983), section 3, without restarts.
    """
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES = {"linear": linear_rate, "constant": constant_rate, "cosine": cosine_rate}


def check_schedule(schedule: Any) -> None:
    """Raise UsageError unless it is a name of SCHEDULES or a function that gives rates."""
    if isinstance(schedule, str) and schedule in SCHEDULES:
        return
    if isinstance(schedule, type) or not callable(schedule):
        raise UsageError(
            f"schedule must be {', '.join(SCHEDULES)} or a function of the progress from 0 to 1, "
            f"got {schedule!r}"
        )
    for progress in (0.0, 0.5, 1.0):
        rate_at(schedule, 0.0, 0.0, progress)


def rate_at(schedule: Schedule, first: float, last: float, progress: float) -> float:
    """Return the rate after `progress`; raise UsageError if a user's function gives no rate."""
    if isinstance(schedule, str):
        return SCHEDULES[schedule](first, last, progress)
    rate = schedule(progress)
    try:
        if math.isfinite(rate) and rate >= 0:
            return float(rate)
    except TypeError:
        pass
    raise UsageError(f"the schedule must give rates of at least 0, got {rate!r} at {progress:.6g}")


def schedule_name(schedule: Schedule) -> str:
    """Return what a file calls a schedule."""
    if isinstance(schedule, str):
        return schedule
    name = getattr(schedule, "__qualname__", type(schedule).__qualname__)
    return f"{OWN}{getattr(schedule, '__module__', None)}:{name}"
