"""Run and stop threads, count usable cores, and lock models and BLAS."""

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
    """Run each body in its own thread; call tick in the calling thread until all have returned.

    stop: the bodies must return soon after it is set. It is set at the end, at Ctrl-C, and when
    a body or tick raises.
    tick_seconds: interval between calls of tick.  name: name of the threads.
    Raises the first error of a body or tick, after all bodies have returned.
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
                # Not join() with a timeout: if Ctrl-C interrupts it, Python 3.11 marks the thread
                # as ended.
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
    """Stop the threads and raise at the first Ctrl-C; ignore others until the threads have ended.

    A second KeyboardInterrupt could end the wait for threads that are still writing. One raised
    while a thread starts would hide that the thread runs, and is deferred to the end of the
    block. A signal handler other than Python's default is left in place.

    started: set after all threads have started.
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
    if seen.is_set():  # deferred or caught by other code, but the threads were stopped
        raise KeyboardInterrupt


def join_all(threads: list[threading.Thread], ended: list[threading.Event]) -> None:
    """Wait until the threads have ended, even at Ctrl-C; this takes at most one chunk."""
    for thread, done in zip(threads, ended, strict=True):
        if thread.ident is None:  # not started
            continue
        while not done.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                done.wait()
        thread.join()


UNLIMITED = ("max", "-1")


def usable_cores() -> int:
    """Return the number of cores that affinity and CPU quota allow, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    return max(1, math.ceil(min(n_cores, quota_cores())))


@cache
def quota_cores(root: Path = Path("/")) -> float:
    """Return the CPU quota of this process's control groups in cores, or infinity without one.

    A container started with `docker run --cpus 2` has a quota of 2 on any number of cores.
    root: the folder that contains proc and sys.
    Reference: Linux kernel, admin-guide/cgroup-v2 (cpu.max) and scheduler/sched-bwc (version 1).
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    mount = root / "sys/fs/cgroup"
    return min((quota for group in groups for quota in _quotas(mount, group)), default=math.inf)


def _quotas(mount: Path, group: str) -> Iterator[float]:
    """Yield the quotas of a control group, `id:controllers:path`, and of its ancestors."""
    _, controllers, path = group.split(":", 2)
    if controllers and "cpu" not in controllers.split(","):
        return
    # Inside a container, the mount itself is the container's own group.
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
    """Yield quota / period, both in microseconds, if there is a quota."""
    if len(words) == 2 and words[0] not in UNLIMITED:
        yield int(words[0]) / int(words[1])


# Keyed by id(). A lock inside the model would prevent copying and pickling it.
_BUSY: dict[int, object] = {}


@contextlib.contextmanager
def training_lock(model: object) -> Iterator[None]:
    """Lock the model for training; raise UsageError if it is already locked."""
    mine = object()
    if _BUSY.setdefault(id(model), mine) is not mine:
        raise UsageError(
            "the model is already being trained: wait until that ends, or use another model"
        )
    try:
        yield
    finally:
        del _BUSY[id(model)]


_LOCK = threading.Lock()
_HOLDERS: list[Any] = []  # one entry per active block; the first block set the limit


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit BLAS to one thread inside the block.

    BLAS threads compete with ours: on two cores they slowed us down at least 4 times. Blocks may
    overlap. The limit of the process is lifted when the last block ends, since a different number
    of BLAS threads would change the bits of the results in the other blocks.
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
