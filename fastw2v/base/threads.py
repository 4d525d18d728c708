"""Threads that work while the main one watches: the first error wins, and none is left behind."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any


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
    with interrupted_once(stop, threads):
        try:
            for thread in threads:
                thread.start()
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
def interrupted_once(stop: threading.Event, threads: list[threading.Thread]) -> Iterator[None]:
    """Let the first Ctrl-C stop the threads and raise, and ignore others until they have ended.

    A second KeyboardInterrupt can come between any two steps of the wait for threads that still
    write, and would leave them behind. A handler that is not Python's own stays in place.
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
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if seen.is_set():  # something on the way has caught it, but the threads have stopped early
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
