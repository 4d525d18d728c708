"""Large memory: zeroed, page-aligned, on huge pages where the system has them."""

import contextlib
import ctypes
import mmap
from typing import Any

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


def give_back_free_memory() -> None:
    """Return to the system what malloc keeps for later, where malloc is glibc's."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))
