"""BLAS held to the thread that calls it, for as long as any full softmax trains."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from fastw2v.training.objectives import Objective

_LOCK = threading.Lock()
_HOLDERS: list[Any] = []  # one for each training under way; the first one set the limit


@contextlib.contextmanager
def single_threaded_blas(objective: Objective) -> Iterator[None]:
    """Keep BLAS to the worker that calls it while the full softmax trains in the block.

    Its own threads beside ours cost a factor of 4 to 14 on two cores. Models may train at once:
    the limit of the process is lifted when the last one ends, since more threads of BLAS would
    give the others other bits.
    """
    if not objective.uses_blas:
        yield
        return
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
