"""Large memory and arrays on it: zeroed, page-aligned, on huge pages where there are any."""

import contextlib
import ctypes
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v.errors import OutOfMemoryError

HUGE_PAGE_BYTES = 2 << 20
# By default Python maps shared memory, which most systems do not put on huge pages.
PRIVATE: dict[str, Any] = (
    {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
)


def allocate(n_bytes: int) -> mmap.mmap:
    """Return at least n_bytes of zeros, of which only what is written becomes resident.

    It goes back to the system with the last array on it. Raises OutOfMemoryError if it cannot
    be had.
    """
    is_huge = n_bytes >= HUGE_PAGE_BYTES
    # Linux aligns whole numbers of huge pages only.
    n_mapped = -(-n_bytes // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES if is_huge else max(n_bytes, 1)
    try:
        memory = mmap.mmap(-1, n_mapped, **PRIVATE)
    except (OSError, OverflowError, ValueError) as error:
        raise OutOfMemoryError(f"cannot allocate {n_bytes / 2**20:,.0f} MiB: {error}") from None
    if is_huge and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel may be built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def trim_malloc() -> None:
    """Return to the system what malloc keeps for later, where malloc is glibc's."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))


Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

SMALL_BYTES = 1 << 18


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
    return np.frombuffer(allocate(n_bytes), dtype, n_items)
