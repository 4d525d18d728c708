"""An approximate nearest-neighbour index (usearch) whose results are scored exactly.

Reference: Malkov and Yashunin 2016 (1603.09320), hierarchical navigable small world graphs.
"""

import os
import warnings
from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.checks import check_choice, check_integer
from fastw2v.base.optional import import_optional
from fastw2v.errors import ModelFormatError, ReadError, reading
from fastw2v.formats.records import INDEX_SUFFIX
from fastw2v.formats.tensor_file import BLOCK_BYTES, CHECKSUM_BYTES, checksum
from fastw2v.vectors.search import divide_rows

DTYPES = ("f32", "f16", "bf16", "i8")
N_CHECKED = 1000  # rows of a loaded index that are compared with the vectors
# Maximum rounding error of a value of a unit row in the index; int8 reached 2**-7.
TOLERANCE = 2**-6
ROWS_AT_ONCE = 1 << 16
# What follows usearch's bytes in a file: this mark and their XXH3 (64 bits, big-endian).
MARK = b"fastw2v\1"


class Indexer(Protocol):
    """The indexer interface of most_similar: a VectorIndex or an index of gensim."""

    def most_similar(self, vector: NDArray[Any], num_neighbors: int) -> list[tuple[str, float]]:
        """Return (word, score) pairs, best first."""


@dataclass(frozen=True)
class IndexSettings:
    """Settings of an index; the defaults are usearch's.

    connectivity: neighbours linked to each row, >= 2.
    expansion_add, expansion_search: candidates examined when adding and when searching a row, >= 1.
    More is slower and finds more of the true neighbours.
    dtype: f32, f16, bf16 or i8, the type of the copy of the vectors in the index.
    threads: >= 0; 0 uses all cores.
    """

    connectivity: int = 16
    expansion_add: int = 128
    expansion_search: int = 64
    dtype: str = "f16"
    threads: int = 0

    def __post_init__(self) -> None:
        check_integer("connectivity", self.connectivity, 2)
        check_integer("expansion_add", self.expansion_add, 1)
        check_integer("expansion_search", self.expansion_search, 1)
        check_choice("dtype", self.dtype, DTYPES)
        check_integer("threads", self.threads, 0)


class VectorIndex:
    """Find most of the nearest rows of a vector without comparing it with every row.

    words: n_words keys, for most_similar.
    vectors: (n_words, dim) floats.  norms: (n_words,) Euclidean norms of the vectors.
    """

    def __init__(
        self,
        words: list[Any],
        vectors: NDArray[Any],
        norms: NDArray[Any],
        settings: IndexSettings,
    ) -> None:
        self.words, self.vectors, self.norms, self.settings = words, vectors, norms, settings
        self._graph: Any = None

    def __len__(self) -> int:
        return len(self._graph)

    def build(self) -> None:
        """Build the index from all rows except zero rows and rows with non-finite values."""
        self._graph = _usearch().Index(
            ndim=self.vectors.shape[1],
            metric="cos",
            dtype=self.settings.dtype,
            connectivity=self.settings.connectivity,
            expansion_add=self.settings.expansion_add,
            expansion_search=self.settings.expansion_search,
        )
        rows = self._sound_rows()
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[first : first + ROWS_AT_ONCE]
            self._graph.add(part, self._units(part), threads=self.settings.threads)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the index to a usearch file.  Raises SaveError."""
        content = self._graph.save()
        with atomic_write(path) as file:
            file.write(content)
            file.write(MARK + checksum([content]))

    def load(self, path: str | PathLike[str]) -> bool:
        """Read the index from a file; return whether it matches the vectors and settings.

        Raises ReadError, or ModelFormatError if the file is not an index or does not match its
        checksum.
        """
        index = _usearch().Index
        with reading(path), open(path, "rb") as file:
            n_bytes = _verified_bytes(os.fspath(path), file)
        try:
            self._graph = index.restore(os.fspath(path))
        except (RuntimeError, ValueError) as error:
            raise ModelFormatError(f"{os.fspath(path)}: not a usearch index: {error}") from error
        if self._graph is None:
            raise ModelFormatError(f"{os.fspath(path)}: not a usearch index")
        if self._graph.serialized_length != n_bytes:  # the mark is damaged, or the file was cut
            raise ModelFormatError(
                f"{os.fspath(path)}: damaged: it has {n_bytes} bytes of an index"
            )
        self._graph.expansion_search = self.settings.expansion_search
        return self._fits()

    def nearest(
        self, queries: NDArray[Any], n_top: int, barred: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the rows nearest to each query and their exact cosines, like nearest_rows.

        queries: (n, dim) of length 1.  barred: (n, k) rows to exclude, padded with -1.
        Returns (n, n_top) int64 rows and (n, n_top) cosines, padded with -1 and -inf.
        Raises ModelFormatError if the index is damaged.
        """
        n_barred = 0 if barred is None else barred.shape[1]
        wide = np.ascontiguousarray(queries, np.float32)
        n_wanted = min(n_top + n_barred, len(self))
        if len(wide) == 0 or n_wanted == 0:
            return self._scored(wide, np.empty((len(wide), 0), np.int64), n_top)
        found = self._graph.search(wide, n_wanted, threads=self.settings.threads)
        rows = np.array(found.keys, np.int64).reshape(len(wide), -1)
        if len(wide) > 1:  # for a single query, usearch already trims the result
            rows[np.arange(rows.shape[1]) >= found.counts[:, np.newaxis]] = -1
        if (rows >= len(self.vectors)).any():
            raise ModelFormatError("the index is damaged: it found a row that does not exist")
        if barred is not None:
            rows[(rows[:, :, np.newaxis] == barred[:, np.newaxis]).any(axis=2)] = -1
        return self._scored(wide, rows, n_top)

    def most_similar(self, vector: NDArray[Any], num_neighbors: int) -> list[tuple[str, float]]:
        """Return (word, cosine) pairs near a (dim,) vector, as gensim's indexers do."""
        length = np.linalg.norm(vector)
        unit = np.asarray(vector, np.float32) / (length if length > 0 else 1)
        rows, scores = self.nearest(unit[np.newaxis], num_neighbors)
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [(self.words[row], score) for row, score in found if row >= 0]

    def _scored(
        self, queries: NDArray[np.float32], rows: NDArray[np.int64], n_top: int
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Score (n, k) candidate rows; return the (n, n_top) best rows and their cosines."""
        near = divide_rows(self.vectors[rows.ravel()], self.norms[rows.ravel()])
        near = near.reshape(*rows.shape, -1)
        scores = np.einsum("qd,qkd->qk", queries, near)
        scores[rows < 0] = -np.inf
        order = np.lexsort((rows, -scores), axis=1)[:, :n_top]
        n_missing = n_top - order.shape[1]
        rows, scores = (np.take_along_axis(a, order, axis=1) for a in (rows, scores))
        return (
            np.pad(rows, ((0, 0), (0, n_missing)), constant_values=-1),
            np.pad(scores, ((0, 0), (0, n_missing)), constant_values=-np.inf),
        )

    def _sound_rows(self) -> NDArray[np.int64]:
        return np.flatnonzero((self.norms > 0) & np.isfinite(self.norms))

    def _units(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        units = divide_rows(self.vectors[rows], self.norms[rows])
        return np.ascontiguousarray(units, np.float32)

    def _fits(self) -> bool:
        """Return whether the index fits: its settings, its rows, and the values of a sample."""
        graph, rows = self._graph, self._sound_rows()
        is_built_so = (graph.dtype.name.lower(), graph.connectivity) == (
            self.settings.dtype,
            self.settings.connectivity,
        )
        if not is_built_so or (len(graph), graph.ndim) != (len(rows), self.vectors.shape[1]):
            return False
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), N_CHECKED)).astype(np.int64)]
        stored = [graph.get(int(row), dtype=np.float32) for row in some]
        return all(
            found is not None and bool(np.abs(found - unit).max() < TOLERANCE)
            for found, unit in zip(stored, self._units(some), strict=True)
        )


def _verified_bytes(name: str, file: BinaryIO) -> int:
    """Return how many bytes of a file belong to usearch; all, if it has no checksum.

    Raises ModelFormatError if they do not match the checksum.
    """
    size = os.fstat(file.fileno()).st_size
    n_bytes = max(size - len(MARK) - CHECKSUM_BYTES, 0)
    file.seek(n_bytes)
    mark, expected = file.read(len(MARK)), file.read()
    if mark != MARK:
        return size
    file.seek(0)
    blocks = (file.read(min(BLOCK_BYTES, n_bytes - i)) for i in range(0, n_bytes, BLOCK_BYTES))
    if checksum(blocks) != expected:
        raise ModelFormatError(f"{name}: it does not match its checksum: the file was damaged")
    return n_bytes


def beside(path: str | PathLike[str]) -> str:
    """Return the path of the index file of a vectors file."""
    return os.fspath(path) + INDEX_SUFFIX


def open_index(index: VectorIndex, path: str | PathLike[str] | None) -> VectorIndex:
    """Return the index, loaded from the file next to `path` if it matches, else built."""
    if path is not None and os.path.exists(beside(path)):
        try:
            if index.load(beside(path)):
                return index
            problem = "does not match these vectors or settings"
        except (ModelFormatError, ReadError) as error:
            problem = f"cannot be used ({error})"
        warnings.warn(f"{beside(path)} {problem}; rebuilding the index", stacklevel=3)
    index.build()
    return index


def _usearch() -> Any:
    """Return the module usearch.index.  Raises MissingPackageError if it is not installed."""
    return import_optional("usearch.index", "index", "an index")
