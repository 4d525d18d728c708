"""Threads that work while the main one watches: the first error wins, and none is left behind."""

import contextlib
import threading
from collections.abc import Callable, Sequence


def run_threads(
    bodies: Sequence[Callable[[], None]],
    stop: threading.Event,
    tick: Callable[[], None],
    tick_seconds: float,
) -> None:
    """Run each body in a thread of its own; call tick in this one until all have returned.

    stop: the bodies return soon after it is set. It is set when a body or tick raises, or at
    Ctrl-C, and at the end; that error is raised here, when all have returned.
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
        threading.Thread(target=work, args=pair, name="fastw2v-train", daemon=True)
        for pair in zip(bodies, ended, strict=True)
    ]
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


def join_all(threads: list[threading.Thread], ended: list[threading.Event]) -> None:
    """Wait until the threads have ended, a second Ctrl-C or not: it takes one chunk at most."""
    for thread, done in zip(threads, ended, strict=True):
        if thread.ident is None:  # it was not started
            continue
        while not done.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                done.wait()
        thread.join()
