"""The encoded corpus: word ids and sentence ends, in memory or in temporary files."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastw2v.base.memory import Float32Array, Int32Array, Int64Array, fresh
from fastw2v.errors import ReadError, SaveError, UsageError

Array = npt.NDArray[Any]

SMALL_ITEMS = 1 << 14
# Enough address space that a spool of the default limit never grows again: copying to larger
# arrays took a sixth of a scan with two threads.
RESERVED_ITEMS = 1 << 24


class Column(Protocol):
    """Items of one dtype, written in order and read at any position."""

    n_items: int

    def put(self, first: int, items: Array) -> None:
        """Write items at position `first` <= n_items; they become the last items."""

    def read(self, first: int, n_items: int) -> Array:
        """Return items [first, first + n_items)."""

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""

    def close(self) -> None:
        """Release the memory or the file."""


class MemoryColumn:
    """A column in memory; read() returns views."""

    def __init__(self, items: Array) -> None:
        """Use these items, in place."""
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
        """Release the memory; existing views stay valid."""
        self._items = self._items[:0]
        self.n_items = 0


class FileColumn:
    """A column in an unlinked temporary file; read() returns new arrays.

    It uses pread, since pages of an mmap would count as memory of this process.
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
        # Also closes at garbage collection, where Python would emit a ResourceWarning.
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
        """Return items [first, first + n_items) as a new array."""
        items = np.empty(n_items, self._dtype)
        data = items.view(np.uint8).data
        position = first * self._dtype.itemsize
        try:
            while data:
                n_read = os.preadv(self._fd, [data], position)
                if n_read == 0:
                    past = f"items {first} to {first + n_items} are past the column's end"
                    raise ValueError(past)
                data, position = data[n_read:], position + n_read
        except OSError as error:
            raise ReadError(
                f"cannot read word ids back from the temporary file in {self._folder}: "
                f"{error.strerror}; set TMPDIR to a folder on another disk"
            ) from error
        return items

    def truncate(self, n_items: int) -> None:
        """Keep the first n_items only."""
        n_bytes = n_items * self._dtype.itemsize
        try:
            os.ftruncate(self._fd, n_bytes)
        except OSError as error:
            raise self._save_error(error, n_bytes) from error
        self.n_items = n_items

    def close(self) -> None:
        """Remove the file."""
        self._close()

    def _save_error(self, error: OSError, n_bytes: int) -> SaveError:
        return SaveError(
            f"cannot write word ids to a temporary file in {self._folder}: {error.strerror} "
            f"({n_bytes} bytes needed so far); set TMPDIR to a folder with more space"
        )


def empty_memory_column(dtype: npt.DTypeLike) -> MemoryColumn:
    """Return an empty column in memory."""
    return MemoryColumn(np.empty(0, dtype))


def moved_to_file(column: Column, dtype: npt.DTypeLike) -> FileColumn:
    """Move the items of a column to a file, close the column, and return the file."""
    file = FileColumn(dtype)
    file.put(0, column.read(0, column.n_items))
    column.close()
    return file


SPOOL_LIMIT_BYTES = 64 << 20  # word ids and ends together; beyond it, both move to disk
# One sentence end in this many stays in memory: 8 bytes per 8 KiB of file, which one read fetches.
INDEX_STRIDE = 1024
ENDS_AT_A_TIME = 1 << 17  # sentence ends read at a time, 1 MiB


class Columns(NamedTuple):
    """The columns of a spool."""

    word_ids: Column
    ends: Column

    @property
    def in_memory(self) -> bool:
        """Whether the columns are in memory."""
        return isinstance(self.word_ids, MemoryColumn)

    def close(self) -> None:
        """Release memory and files."""
        self.word_ids.close()
        self.ends.close()


def memory_columns() -> Columns:
    """Return empty columns in memory."""
    return Columns(empty_memory_column(np.int32), empty_memory_column(np.int64))


def spool_bytes(n_tokens: int, n_sentences: int) -> int:
    """Return the size of a spool: one int32 per token and one int64 per sentence."""
    return 4 * n_tokens + 8 * n_sentences


@dataclass(frozen=True)
class ChunkData:
    """A chunk of the stream, with a margin of tokens on both sides for its contexts.

    word_ids: (n_ids,) int32.  first_token: stream position of word_ids[0].
    sentence_ends: (n_ends,) int64 stream positions, ascending: every end inside the chunk and the
    first one at or after its last token. Every token's sentence end is included.
    centre_begin, centre_end: word_ids[centre_begin:centre_end] is the chunk without its margins.
    pair_weights: (n_ids / 2,) float32 if word_ids are pairs, each an input and its output.
    """

    word_ids: Int32Array
    first_token: int
    sentence_ends: Int64Array
    centre_begin: int
    centre_end: int
    pair_weights: Float32Array | None = None


class Spool:
    """Word ids and sentence ends of a whole corpus.

    Sentence ends are stream positions, ascending; the last one equals n_tokens.
    """

    def __init__(self, columns: Columns, every_nth_end: Int64Array) -> None:
        """Take ownership of columns; every_nth_end: (ceil(n_sentences / INDEX_STRIDE),) int64."""
        self._columns = columns
        self._every_nth_end = every_nth_end
        self.n_tokens = columns.word_ids.n_items
        self.n_sentences = columns.ends.n_items

    @classmethod
    def from_arrays(cls, word_ids: Int32Array, sentence_ends: Int64Array) -> "Spool":
        """Return a spool that uses these arrays without copying them.

        word_ids: (n_tokens,) int32 >= 0.  sentence_ends: (n_sentences,) int64, > 0, strictly
        ascending; the last one is n_tokens.
        Raises UsageError if dtypes or sentence ends are invalid.
        """
        if word_ids.dtype != np.int32 or sentence_ends.dtype != np.int64:
            given = f"{word_ids.dtype} and {sentence_ends.dtype}"
            raise UsageError(f"word_ids must be int32 and sentence_ends int64, got {given}")
        last = int(sentence_ends[-1]) if len(sentence_ends) else 0
        if last != len(word_ids):
            raise UsageError(f"the last sentence end must be {len(word_ids)}, got {last}")
        if np.any(np.diff(sentence_ends, prepend=0) <= 0):
            raise UsageError("sentence_ends must be strictly ascending and greater than 0")
        columns = Columns(MemoryColumn(word_ids), MemoryColumn(sentence_ends))
        return cls(columns, sentence_ends[::INDEX_STRIDE])

    @property
    def in_memory(self) -> bool:
        """Whether the spool is in memory instead of temporary files."""
        return self._columns.in_memory

    @property
    def n_bytes(self) -> int:
        """The size of word ids and sentence ends in bytes."""
        return spool_bytes(self.n_tokens, self.n_sentences)

    def chunks(self, chunk_tokens: int, margin_tokens: int) -> "ChunkTable":
        """Cut the stream into chunks of `chunk_tokens` (the last may be shorter).

        Each chunk has a margin of up to margin_tokens on each side.
        Raises UsageError unless chunk_tokens >= 1 and margin_tokens >= 0.
        """
        if chunk_tokens < 1:
            raise UsageError(f"chunk_tokens must be at least 1, got {chunk_tokens}")
        if margin_tokens < 0:
            raise UsageError(f"margin_tokens must be at least 0, got {margin_tokens}")
        return ChunkTable(self, chunk_tokens, margin_tokens)

    def read_tokens(self, first: int, n_tokens: int) -> Int32Array:
        """Return word ids [first, first + n_tokens): a view of memory, or a new array from disk."""
        return self._columns.word_ids.read(first, n_tokens)

    def read_ends(self, after: int, reach: int) -> Int64Array:
        """Return the sentence ends e > after, up to and including the first e >= reach."""
        index = self._every_nth_end
        begin = max(int(np.searchsorted(index, after, "right")) - 1, 0) * INDEX_STRIDE
        end = (int(np.searchsorted(index, reach, "left")) + 1) * INDEX_STRIDE
        ends = self._columns.ends.read(begin, min(end, self.n_sentences) - begin)
        first = int(np.searchsorted(ends, after, "right"))
        return ends[first : int(np.searchsorted(ends, reach, "left")) + 1]

    def longest_sentence(self) -> int:
        """Return the number of tokens of the longest sentence, 0 without sentences."""
        longest = last = 0
        for first in range(0, self.n_sentences, ENDS_AT_A_TIME):
            n_ends = min(ENDS_AT_A_TIME, self.n_sentences - first)
            ends = self._columns.ends.read(first, n_ends)
            longest = max(longest, int(np.diff(ends, prepend=last).max()))
            last = int(ends[-1])
        return longest

    def close(self) -> None:
        """Release memory and temporary files; the spool cannot be read afterwards."""
        self._columns.close()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class ChunkTable:
    """The chunks of a spool; read() is thread-safe."""

    def __init__(self, spool: Spool, chunk_tokens: int, margin_tokens: int) -> None:
        self._spool = spool
        self._chunk_tokens = chunk_tokens
        self._margin_tokens = margin_tokens

    def __len__(self) -> int:
        return -(-self._spool.n_tokens // self._chunk_tokens)

    def __iter__(self) -> Iterator[ChunkData]:
        return (self.read(i) for i in range(len(self)))

    def read(self, i: int) -> ChunkData:
        """Return chunk i, counted from 0.  Raises IndexError past the last one."""
        if not 0 <= i < len(self):
            raise IndexError(f"chunk must be in [0, {len(self)}), got {i}")
        n_tokens = self._spool.n_tokens
        begin = i * self._chunk_tokens
        end = min(begin + self._chunk_tokens, n_tokens)
        first = max(begin - self._margin_tokens, 0)
        last = min(end + self._margin_tokens, n_tokens)
        return ChunkData(
            word_ids=self._spool.read_tokens(first, last - first),
            first_token=first,
            sentence_ends=self._spool.read_ends(first, last),
            centre_begin=begin - first,
            centre_end=end - first,
        )


class SpoolWriter:
    """Appends encoded pieces; beyond limit_bytes, they move to temporary files."""

    def __init__(self, limit_bytes: int = SPOOL_LIMIT_BYTES, columns: Columns | None = None):
        """Write to new columns, or overwrite the given ones from their start."""
        self.columns = memory_columns() if columns is None else columns
        self.n_tokens = 0
        self.n_sentences = 0
        self.limit_bytes = limit_bytes
        self._last_end = 0
        self._every_nth_end: list[Int64Array] = []

    def append(self, word_ids: Int32Array, ends: Int64Array) -> int:
        """Append a piece and return the number of sentence ends it added.

        word_ids: (n_ids,) int32.
        ends: (n_ends,) int64, ascending, relative to the start of the piece. A first end of 0
        closes the sentence left open by the previous piece.
        """
        ends = ends + self.n_tokens
        if len(ends) and ends[0] <= self._last_end:
            ends = ends[1:]
        self._spill(len(word_ids), len(ends))
        self.columns.word_ids.put(self.n_tokens, word_ids)
        self.columns.ends.put(self.n_sentences, ends)
        self._every_nth_end.append(ends[-self.n_sentences % INDEX_STRIDE :: INDEX_STRIDE].copy())
        self.n_tokens += len(word_ids)
        self.n_sentences += len(ends)
        if len(ends):
            self._last_end = int(ends[-1])
        return len(ends)

    def expect(self, share: float) -> None:
        """Move to files now if the finished spool is expected to exceed the limit.

        A spool that ends in files then does not fill memory first.
        share: share of the corpus written, in (0, 1].
        """
        if spool_bytes(self.n_tokens, self.n_sentences) > share * self.limit_bytes:
            self._move_to_files()

    def finish(self) -> Spool:
        """End the last sentence and return the spool."""
        if self._last_end < self.n_tokens:
            self.append(np.empty(0, np.int32), np.zeros(1, np.int64))
        self.columns.word_ids.truncate(self.n_tokens)  # given columns may have held more
        self.columns.ends.truncate(self.n_sentences)
        return Spool(self.columns, np.concatenate(self._every_nth_end or [np.empty(0, np.int64)]))

    def close(self) -> None:
        """Release memory and temporary files."""
        self.columns.close()

    def _spill(self, n_ids: int, n_ends: int) -> None:
        """Move to files if n_ids and n_ends more would exceed the limit."""
        if spool_bytes(self.n_tokens + n_ids, self.n_sentences + n_ends) > self.limit_bytes:
            self._move_to_files()

    def _move_to_files(self) -> None:
        if self.columns.in_memory:
            word_ids, ends = self.columns
            self.columns = Columns(moved_to_file(word_ids, np.int32), moved_to_file(ends, np.int64))
