"""Threads: how many cores there are, how threads run and end, and what keeps others out."""

import contextlib
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from fastw2v.errors import UsageError


def run_threads(
    bodies: Sequence[Callable[[], None]],
    stop: threading.Event,
    tick: Callable[[], None],
    tick_seconds: float,
    name: str,
) -> None:
    """Run each body in a thread of its own; call tick in this one until all have returned.

    stop: the bodies return soon after it is set. It is set when a body or tick raises, or at
    Ctrl-C, and at the end; that error is raised here, when all have returned.
    name: of the threads.
    """
    errors: list[BaseException] = []
    ended = [threading.Event() for _ in bodies]

    def work(body: Callable[[], None], done: threading.Event) -> None:
        try:
            body()
        except BaseException as error:
            errors.append(error)
            stop.set()
        finally:
            done.set()

    threads = [
        threading.Thread(target=work, args=pair, name=name, daemon=True)
        for pair in zip(bodies, ended, strict=True)
    ]
    started = threading.Event()
    with interrupted_once(stop, threads, started):
        try:
            for thread in threads:
                thread.start()
            started.set()
            for done in ended:
                # Not join() with a timeout: interrupted, Python 3.11's takes the thread for ended.
                while not done.wait(tick_seconds):
                    tick()
        finally:
            stop.set()
            join_all(threads, ended)
    if errors:
        raise errors[0]


@contextlib.contextmanager
def interrupted_once(
    stop: threading.Event, threads: list[threading.Thread], started: threading.Event
) -> Iterator[None]:
    """Let the first Ctrl-C stop the threads and raise, and ignore others until they have ended.

    A second KeyboardInterrupt can come between any two steps of the wait for threads that still
    write, and would leave them behind; one within a thread's start would hide that it runs.
    started: set when all threads are. A handler that is not Python's own stays in place.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    seen = threading.Event()

    def handle(number: int, frame: Any) -> None:
        if seen.is_set() and any(thread.is_alive() for thread in threads):
            return
        seen.set()
        stop.set()
        if started.is_set():
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if seen.is_set():  # it was not raised, or something has caught it: but the threads stopped
        raise KeyboardInterrupt


def join_all(threads: list[threading.Thread], ended: list[threading.Event]) -> None:
    """Wait until the threads have ended, Ctrl-C or not: it takes one chunk at most."""
    for thread, done in zip(threads, ended, strict=True):
        if thread.ident is None:  # it was not started
            continue
        while not done.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                done.wait()
        thread.join()


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


# By id(). Not a lock in the model: that could be neither copied nor pickled.
_BUSY: dict[int, object] = {}


@contextlib.contextmanager
def training_lock(model: object) -> Iterator[None]:
    """Keep any second such block for the model out; raise UsageError there."""
    mine = object()
    if _BUSY.setdefault(id(model), mine) is not mine:
        raise UsageError(
            "the model is being trained already: wait until that ends, or use another model"
        )
    try:
        yield
    finally:
        del _BUSY[id(model)]


_LOCK = threading.Lock()
_HOLDERS: list[Any] = []  # one for each block under way; the first one set the limit


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to the thread that calls it, in the block.

    Its own threads beside ours cost a factor of 4 to 14 on two cores. Blocks may run at once: the
    limit of the process is lifted when the last one ends, since more threads of BLAS would give
    the others other bits.
    """
    from threadpoolctl import threadpool_limits

    with _LOCK:
        _HOLDERS.append(_HOLDERS[0] if _HOLDERS else threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _LOCK:
            limits = _HOLDERS.pop()
            if not _HOLDERS:
                limits.restore_original_limits()
