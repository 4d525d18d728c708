"""A growing one-dimensional array, in memory or in an anonymous temporary file."""

import os
import tempfile
import weakref
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastw2v.corpus.arrays import fresh
from fastw2v.errors import SaveError

Array = npt.NDArray[Any]

SMALL_ITEMS = 1 << 14
# Then so much address space that a spool of the default limit never grows: copying into larger
# arrays took a sixth of a scan by two threads.
RESERVED_ITEMS = 1 << 24


class Column(Protocol):
    """Items of one dtype that are written in order and read at any place."""

    n_items: int

    def put(self, first: int, items: Array) -> None:
        """Write items from position `first` <= n_items on; they become the last ones."""

    def read(self, first: int, n_items: int) -> Array:
        """Return items [first, first + n_items)."""

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""

    def close(self) -> None:
        """Give the memory or the file back."""


class MemoryColumn:
    """A column in memory; read() returns views."""

    def __init__(self, items: Array) -> None:
        """Start with these items, which are used in place."""
        self._items = items
        self.n_items = len(items)

    def put(self, first: int, items: Array) -> None:
        """Write items from position `first` on; they become the last ones."""
        self.n_items = first + len(items)
        if self.n_items > len(self._items):
            least = SMALL_ITEMS if self.n_items <= SMALL_ITEMS else RESERVED_ITEMS
            larger = fresh(max(least, 2 * self.n_items), self._items.dtype)
            larger[:first] = self._items[:first]
            self._items = larger
        self._items[first : self.n_items] = items

    def read(self, first: int, n_items: int) -> Array:
        """Return a view of items [first, first + n_items)."""
        return self._items[first : first + n_items]

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""
        self.n_items = n_items

    def close(self) -> None:
        """Let go of the memory; views taken before stay valid."""
        self._items = self._items[:0]
        self.n_items = 0


class FileColumn:
    """A column in an unlinked temporary file; read() returns fresh small arrays.

    pread and not mmap, so that the pages read do not count as this process's memory.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self.n_items = 0
        self._folder = os.environ.get("TMPDIR", "/tmp")
        try:
            self._folder = tempfile.gettempdir()
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the column owns it
        except OSError as error:
            raise self._save_error(error, 0) from error
        self._fd = file.fileno()
        # Also at garbage collection, where Python itself would warn.
        self._close = weakref.finalize(self, file.close)

    def put(self, first: int, items: Array) -> None:
        """Write items from position `first` on; they become the last ones."""
        data = np.ascontiguousarray(items, self._dtype).view(np.uint8).data
        position = first * self._dtype.itemsize
        end = position + len(data)
        try:
            while data:
                n_written = os.pwrite(self._fd, data, position)
                data, position = data[n_written:], position + n_written
        except OSError as error:
            raise self._save_error(error, end) from error
        self.n_items = first + len(items)

    def read(self, first: int, n_items: int) -> Array:
        """Return items [first, first + n_items) as a fresh array."""
        items = np.empty(n_items, self._dtype)
        data = items.view(np.uint8).data
        position = first * self._dtype.itemsize
        while data:
            n_read = os.preadv(self._fd, [data], position)
            if n_read == 0:
                raise ValueError(f"items {first} to {first + n_items} are past the column's end")
            data, position = data[n_read:], position + n_read
        return items

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""
        os.ftruncate(self._fd, n_items * self._dtype.itemsize)
        self.n_items = n_items

    def close(self) -> None:
        """Remove the file."""
        self._close()

    def _save_error(self, error: OSError, n_bytes: int) -> SaveError:
        return SaveError(
            f"cannot write word ids to a temporary file in {self._folder}: {error.strerror} "
            f"({n_bytes} bytes needed so far); set TMPDIR to a folder with more room"
        )


def empty_memory_column(dtype: npt.DTypeLike) -> MemoryColumn:
    """Return a column in memory that holds nothing yet."""
    return MemoryColumn(np.empty(0, dtype))


def moved_to_file(column: Column, dtype: npt.DTypeLike) -> FileColumn:
    """Return a file with the items of a column, which is closed."""
    file = FileColumn(dtype)
    file.put(0, column.read(0, column.n_items))
    column.close()
    return file
