"""How many CPU cores this process may use."""

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

UNLIMITED = ("max", "-1")


def usable_cores() -> int:
    """Return the number of cores, at least 1, that affinity and the CPU quota leave."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    return max(1, math.ceil(min(n_cores, quota_cores())))


@cache
def quota_cores(root: Path = Path("/")) -> float:
    """Return the CPU quota of this process's control groups in cores, infinite without one.

    A container started with `docker run --cpus 2` has a quota of 2 on any number of cores.
    root: where proc and sys are.
    Reference: Linux kernel, admin-guide/cgroup-v2 (cpu.max) and scheduler/sched-bwc (version 1).
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    mount = root / "sys/fs/cgroup"
    return min((quota for group in groups for quota in _quotas(mount, group)), default=math.inf)


def _quotas(mount: Path, group: str) -> Iterator[float]:
    """Yield the quotas of a control group, `id:controllers:path`, and of those around it."""
    _, controllers, path = group.split(":", 2)
    if controllers and "cpu" not in controllers.split(","):
        return
    # A container sees its own group as the mount itself.
    innermost = PurePosixPath(path.lstrip("/"))
    for folder in (innermost, *innermost.parents):
        if controllers:
            yield from _quota_1(mount / "cpu" / folder)
        else:
            yield from _quota_2(mount / folder)


def _quota_1(folder: Path) -> Iterator[float]:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    yield from _ratio(quota + period)


def _quota_2(folder: Path) -> Iterator[float]:
    yield from _ratio(_words(folder / "cpu.max"))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _ratio(words: list[str]) -> Iterator[float]:
    """Yield quota / period, microseconds both, if there is a quota."""
    if len(words) == 2 and words[0] not in UNLIMITED:
        yield int(words[0]) / int(words[1])
