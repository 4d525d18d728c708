"""Array types, and large arrays whose memory goes back to the system when they go."""

import contextlib
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

SMALL_BYTES = 1 << 18
HUGE_PAGE_BYTES = 2 << 20


def fresh(n_items: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros, of which only what is written becomes resident.

    malloc keeps freed arrays of up to 32 MiB for later, with a heap for each thread: five scans
    of 100 MB with two threads took 228 MB with it, and 165 MB with mappings.  Huge pages, since
    threads of one process wait for each other in page faults: two of them counted 50 MB in
    0.128 s with 5,400 faults each and 0.070 s with 120, one alone half of it in 0.066 s.
    """
    n_bytes = np.dtype(dtype).itemsize * n_items
    if n_bytes < SMALL_BYTES:
        return np.zeros(n_items, dtype)
    n_mapped = -(-n_bytes // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES  # Linux aligns such sizes only
    memory = mmap.mmap(-1, n_mapped, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel may be built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype, n_items)
