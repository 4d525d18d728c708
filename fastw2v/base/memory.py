"""Allocate large zeroed, page-aligned memory, on huge pages where available."""

import contextlib
import ctypes
import math
import mmap
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v import _core
from fastw2v.base.threads import control_groups, lines_of
from fastw2v.errors import OutOfMemoryError

HUGE_PAGE_BYTES = 2 << 20
# Python maps shared memory by default, which most systems do not back with huge pages.
PRIVATE: dict[str, Any] = (
    {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
)


def allocate(n_bytes: int) -> Any:
    """Return a buffer of at least n_bytes of zeroed memory; pages become resident when written.

    The memory is released with the last array that uses it.
    Raises OutOfMemoryError if the system cannot provide it.
    """
    if _core.RED_ZONE_BYTES:
        return watched_memory(n_bytes)
    is_huge = n_bytes >= HUGE_PAGE_BYTES
    # Linux aligns a mapping to huge pages only if its size is a multiple of one.
    n_mapped = -(-n_bytes // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES if is_huge else max(n_bytes, 1)
    try:
        memory = mmap.mmap(-1, n_mapped, **PRIVATE)
    except (OSError, OverflowError, ValueError) as error:
        raise OutOfMemoryError(f"cannot allocate {n_bytes / 2**20:,.0f} MiB: {error}") from None
    if is_huge and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # the kernel may be built without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def watched_memory(n_bytes: int) -> Any:
    """allocate() for a build with AddressSanitizer, which watches both ends of what malloc returns.

    The ends of a mapping are those of its pages, and a mapping beside it hides an overrun.
    """
    libc, address, n_bytes = ctypes.CDLL(None), ctypes.c_void_p(), max(n_bytes, 1)
    page = ctypes.c_size_t(mmap.PAGESIZE)
    if libc.posix_memalign(ctypes.byref(address), page, ctypes.c_size_t(n_bytes)):
        raise OutOfMemoryError(f"cannot allocate {n_bytes / 2**20:,.0f} MiB: malloc refuses")
    assert address.value is not None
    ctypes.memset(address.value, 0, n_bytes)
    memory = (ctypes.c_char * n_bytes).from_address(address.value)
    # At exit, threads may still use it.
    weakref.finalize(memory, libc.free, address).atexit = False
    return memory


def trim_malloc() -> None:
    """Return memory cached by glibc's malloc to the system; do nothing elsewhere."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))


Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

SMALL_BYTES = 1 << 18


def fresh(n_items: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a zeroed array (n_items,); pages become resident when written.

    Large arrays are mapped, since malloc caches freed arrays of up to 32 MiB in one heap per
    thread: five scans of 100 MB with two threads peaked at 228 MB instead of 165 MB. They use
    huge pages, since the page faults of one process's threads are serialized.
    """
    n_bytes = np.dtype(dtype).itemsize * n_items
    if n_bytes < SMALL_BYTES:
        return np.zeros(n_items, dtype)
    return np.frombuffer(allocate(n_bytes), dtype, n_items)


@contextlib.contextmanager
def needing(n_bytes: int, in_all: str) -> Iterator[None]:
    """Raise OutOfMemoryError if the block, which allocates n_bytes, does not fit into memory.

    in_all: what needs how much memory in all, for the message.
    """
    available = available_bytes()
    reason = ""
    if n_bytes <= available:
        try:
            yield
            return
        except MemoryError as error:  # NumPy's too
            reason = f" ({' '.join(str(error).split())})"
    raise OutOfMemoryError(
        f"{in_all}, but {mebibytes(available_bytes())} are available{reason}; lower vector_size, "
        "raise min_count, or use fewer workers"
    ) from None


def mebibytes(n_bytes: float) -> str:
    """Return a number of bytes for people."""
    return f"{n_bytes / 2**20:,.0f} MiB"


def available_bytes(root: Path = Path("/")) -> float:
    """Return the memory that this process can still get, in bytes; infinity if unknown.

    Caches that the kernel can drop and free swap space count as available.
    root: the folder that contains proc and sys.
    Reference: Linux kernel, filesystems/proc (meminfo), admin-guide/cgroup-v2 (memory.max) and
    cgroup-v1/memory.
    """
    machine = _numbers(root / "proc/meminfo")
    swap = 1024 * machine.get("SwapFree", 0)
    groups = (_left_in_group(folder) + swap for folder in control_groups(root, "memory"))
    of_machine = 1024 * machine.get("MemAvailable", math.inf) + swap
    return max(0, min([of_machine, *groups, *_left_of_limits(root)]))


# Files of a control group: its limit and its usage, then the memory.stat of what can be dropped.
GROUP_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable")),
    (
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)


def _left_in_group(folder: Path) -> float:
    """Return what the limit of a control group of either version leaves, infinity without one."""
    left = math.inf
    for limit_file, usage_file, droppable in GROUP_FILES:
        limit, usage = lines_of(folder / limit_file), lines_of(folder / usage_file)
        if limit and usage and limit[0] != "max":
            stat = _numbers(folder / "memory.stat")
            dropped = sum(stat.get(name, 0) for name in droppable)
            left = min(left, int(limit[0]) - int(usage[0]) + dropped)
    return left


def _left_of_limits(root: Path) -> Iterator[float]:
    """Yield what `ulimit -v` and `ulimit -d` leave of address space and of data."""
    pages = " ".join(lines_of(root / "proc/self/statm")).split()
    with contextlib.suppress(ImportError, IndexError):
        import resource

        for limit, at in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                yield most - int(pages[at]) * mmap.PAGESIZE


def _numbers(path: Path) -> dict[str, int]:
    """Return the numbers of a file of lines such as `MemFree: 9 kB` by name."""
    pairs = (line.replace(":", " ").split()[:2] for line in lines_of(path))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
