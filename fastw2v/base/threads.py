"""Run and stop threads, count usable cores, and lock models and BLAS."""

import _thread
import contextlib
import math
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from fastw2v.errors import OutOfMemoryError, UsageError

POLL_SECONDS = 0.05  # between looks whether a thread that says nothing still lives
STOP_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
]


class Thread(threading.Thread):
    """A daemon thread that no one waits for in vain; every thread of this package is one.

    threading.Thread.start() waits until the new thread reports that it runs. A thread whose first
    frames find no memory dies before it reports, and start() never returns (CPython 3.10 to
    3.14). Only the new thread holds the function that it begins with, and the thread has ended
    when that function is gone.
    """

    def __init__(self, body: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.error: BaseException | None = None
        self.ended = threading.Event()
        self._body: Callable[[], None] | None = body
        self._begun: weakref.ref[Callable[[], None]] | None = None
        self._started = _Started(self)
        self._invoke_excepthook = lambda thread: None  # `failure` reports instead

    @property
    def _bootstrap(self) -> Callable[[], None]:
        """The function that the new thread begins with; start() reads it once."""
        bootstrap = super()._bootstrap  # type: ignore[misc]

        def begin() -> None:
            with contextlib.suppress(BaseException):
                bootstrap()

        # Python 3.11 never frees a function whose frame finds no memory, but it frees this.
        held_by_thread = partial(begin)
        self._begun = weakref.ref(held_by_thread)
        return held_by_thread

    def start(self) -> None:
        """Start the thread; raise OutOfMemoryError if the system cannot."""
        failed = None
        try:
            super().start()
        except (RuntimeError, MemoryError) as error:
            failed = str(error) or "out of memory"
        if failed is not None:  # without the first error, whose traceback may hold `_bootstrap`
            raise OutOfMemoryError(
                f"cannot start another thread: {failed}; use fewer workers, or raise the limits on "
                "threads and memory"
            )

    def run(self) -> None:
        """Run the body and keep its error."""
        body, self._body = self._body, None  # what it holds is freed without the garbage collector
        try:
            if body is not None:
                body()
        except BaseException as error:
            self.error = error
        finally:
            del body
            self.ended.set()

    def lives(self) -> bool:
        """Return whether the thread runs or is about to run."""
        return self._begun is not None and self._begun() is not None

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the thread; return whether it has ended."""
        return not self.lives() or self.ended.wait(seconds)

    def finish(self) -> None:
        """Wait until the thread has ended, even at Ctrl-C."""
        has_ended = False
        while not has_ended:
            with contextlib.suppress(KeyboardInterrupt):
                has_ended = self.wait(POLL_SECONDS)
        if self._started.is_set():
            self.join()
        threading._limbo.pop(self, None)  # type: ignore[attr-defined]  # if it died in start()

    @property
    def failure(self) -> BaseException | None:
        """The error that ended the thread, if any."""
        if self.error is None and self._begun is not None and not self.ended.is_set():
            return OutOfMemoryError(f"a thread ({self.name}) ended for lack of memory")
        return self.error


class _Started(threading.Event):
    """Set by a new thread; wait() raises MemoryError if the thread has died before."""

    def __init__(self, thread: Thread) -> None:
        super().__init__()
        self._thread = thread

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set; timeout is ignored."""
        while not super().wait(POLL_SECONDS):
            if not self._thread.lives() and not self.is_set():
                raise MemoryError
        return True


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
    Raises the first error of a body or tick, and OutOfMemoryError if a thread cannot start, after
    all bodies have returned.
    """
    errors: list[BaseException] = []

    def work(body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as error:
            errors.append(error)
            stop.set()

    threads = [Thread(partial(work, body), name) for body in bodies]
    started = threading.Event()
    with interrupted_once(stop, threads, started):
        try:
            for thread in threads:
                thread.start()
            started.set()
            for thread in threads:
                # Not join() with a timeout: if Ctrl-C interrupts it, Python 3.11 marks the thread
                # as ended.
                while not thread.wait(tick_seconds):
                    tick()
        finally:
            stop.set()
            for thread in threads:
                thread.finish()
    errors += [failure for thread in threads if (failure := thread.failure)]
    if errors:
        raise errors[0]


# The last signal that interrupt() handled.
_HANDLED: list[int] = []


def interrupt(number: int, frame: Any) -> None:
    """Handle a signal as Python handles Ctrl-C; stop_signal() tells which one it was."""
    _HANDLED[:] = [number]
    raise KeyboardInterrupt


def stop_signal() -> int | None:
    """Return the number of the last signal that interrupt() handled, if any."""
    return _HANDLED[0] if _HANDLED else None


def raise_lost_interrupt() -> None:
    """Raise KeyboardInterrupt if interrupt() has raised one that did not end the work.

    Python drops an exception that is raised while it collects an object, such as an ended thread.
    """
    if _HANDLED:
        raise KeyboardInterrupt


@contextlib.contextmanager
def interrupted_once(
    stop: threading.Event, threads: list[Thread], started: threading.Event
) -> Iterator[None]:
    """Stop the threads and raise at the first Ctrl-C; ignore others until the threads have ended.

    A second KeyboardInterrupt could end the wait for threads that are still writing. One raised
    while a thread starts would hide that the thread runs, and is deferred to the end of the
    block. The same holds for signals that interrupt() handles. Other signal handlers than these
    and Python's default for Ctrl-C are left in place.

    started: set after all threads have started.
    """
    in_main = threading.current_thread() is threading.main_thread()
    handlers: dict[int, Callable[[int, Any], Any]] = {
        number: handler
        for number in STOP_SIGNALS
        for handler in (signal.default_int_handler, interrupt)
        if in_main and signal.getsignal(number) is handler
    }
    seen: list[int] = []

    def handle(number: int, frame: Any) -> None:
        if seen and any(thread.lives() for thread in threads):
            return
        seen[:] = [number]
        stop.set()
        if started.is_set():
            handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if seen:  # deferred or caught by other code, but the threads were stopped
        handlers[seen[0]](seen[0], None)


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
    quotas = (quota for folder in control_groups(root, "cpu") for quota in _quotas(folder))
    return min(quotas, default=math.inf)


def control_groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups and of their ancestors.

    root: the folder that contains proc and sys.  controller: of version 1; the folders of version 2
    serve all controllers.
    """
    mount = root / "sys/fs/cgroup"
    for group in lines_of(root / "proc/self/cgroup"):
        _, controllers, path = group.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        # Inside a container, the mount itself is the container's own group.
        innermost = PurePosixPath(path.lstrip("/"))
        for folder in (innermost, *innermost.parents):
            yield (mount / controller if controllers else mount) / folder


def _quotas(folder: Path) -> Iterator[float]:
    """Yield the quota of a control group of either version, if it has one."""
    yield from _ratio(_words(folder / "cpu.max"))
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    yield from _ratio(quota + period)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file of the kernel, none if it cannot be read."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    return " ".join(lines_of(path)).split()


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


def let_blas_threads_sleep() -> None:
    """Let idle threads of NumPy's OpenBLAS sleep, unless the user has set how long they spin.

    By default each thread spins for 0.1 s after NumPy is imported and competes with the threads
    that count words: counting 100 MB took 16 % longer.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 ticks, the minimum


MAX_BLAS_THREADS = 64  # of the OpenBLAS in NumPy's wheels


def spare_blas_threads() -> None:
    """Let OpenBLAS use one thread if it could not start all of its threads.

    When it cannot start one, while NumPy is imported, it prints four lines and sends SIGINT.
    """

    def wait() -> None:
        with hold:
            pass

    hold = threading.Lock()
    hold.acquire()
    try:
        for _ in range(min(os.cpu_count() or 1, MAX_BLAS_THREADS) - 1):
            _thread.start_new_thread(wait, ())
    except (RuntimeError, MemoryError):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    finally:
        hold.release()


def hide_dead_threads() -> None:
    """Print nothing for a thread that found no memory to begin with: its starter reports it."""

    def show(unraisable: Any) -> None:
        is_thread = "thread started by" in (unraisable.err_msg or "")
        if not (is_thread and issubclass(unraisable.exc_type, MemoryError)):
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = show


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
