"""Array types, and large arrays whose memory goes back to the system when they go."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v.base.memory import allocate

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
