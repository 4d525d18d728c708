"""Array types, and large arrays whose memory goes back to the system when they go."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

SMALL_BYTES = 1 << 18


def fresh(n_items: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros, of which only what is written becomes resident.

    malloc keeps freed arrays of up to 32 MiB for later, with a heap for each thread: five scans
    of 100 MB with two threads took 228 MB with it, and 165 MB with mappings.
    """
    size = np.dtype(dtype).itemsize * n_items
    if size < SMALL_BYTES:
        return np.zeros(n_items, dtype)
    return np.frombuffer(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), dtype)
