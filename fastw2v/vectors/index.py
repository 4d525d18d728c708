"""An approximate index of vectors: usearch's graph of neighbours, whose finds are scored exactly.

Reference: Malkov and Yashunin 2016 (1603.09320), hierarchical navigable small worlds.
"""

import os
import warnings
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.atomic import atomic_write
from fastw2v.base.checks import check_choice, check_integer
from fastw2v.base.optional import import_optional
from fastw2v.errors import ModelFormatError, ReadError, reading
from fastw2v.vectors.search import divide_rows

SUFFIX = ".usearch"  # what the file of an index adds to the name of the model's
DTYPES = ("f32", "f16", "bf16", "i8")
N_CHECKED = 1000  # rows of a file compared with the vectors
# What a value of a row of length 1 may change by in the index; int8 changed them by up to 2**-7.
TOLERANCE = 2**-6
ROWS_AT_ONCE = 1 << 16


class Indexer(Protocol):
    """What most_similar accepts as an indexer: VectorIndex, or one of gensim's."""

    def most_similar(self, vector: NDArray[Any], num_neighbors: int) -> list[tuple[str, float]]:
        """Return words with their scores, best first."""


@dataclass(frozen=True)
class IndexSettings:
    """How an index is built and searched; the defaults are usearch's.

    connectivity: neighbours a row is linked with.  expansion_add, expansion_search: rows looked
    at when one is added or searched; more finds more of the true neighbours and takes longer.
    dtype: f32, f16, bf16 or i8, what the copy of the vectors in the index is held in.
    threads: 0 for all cores.
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
    """Finds rows that are near to a vector, most of the nearest ones, without looking at all.

    words: for most_similar, which gensim's scripts call; vectors, norms: as for cosines.
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
        """Add all rows but those of zeros and those with values that are not finite."""
        self._graph = _usearch().Index(
            ndim=self.vectors.shape[1],
            metric="cos",
            dtype=self.settings.dtype,
            connectivity=self.settings.connectivity,
            expansion_add=self.settings.expansion_add,
            expansion_search=self.settings.expansion_search,
        )
        rows = self._sound_rows()
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            self._graph.add(part, self._units(part), threads=self.settings.threads)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the index to a file of usearch; raise SaveError if that fails."""
        with atomic_write(path) as file:
            file.write(self._graph.save())

    def load(self, path: str | PathLike[str]) -> bool:
        """Read the index from a file; return whether it is one of these vectors.

        Raises ReadError, or ModelFormatError for a file that is no index.
        """
        index = _usearch().Index
        with reading(path), open(path, "rb"):
            pass
        try:
            self._graph = index.restore(os.fspath(path))
        except (RuntimeError, ValueError) as error:
            raise ModelFormatError(f"{os.fspath(path)}: not a usearch index: {error}") from error
        if self._graph is None:
            raise ModelFormatError(f"{os.fspath(path)}: not a usearch index")
        self._graph.expansion_search = self.settings.expansion_search
        return self._fits()

    def nearest(
        self, queries: NDArray[Any], n_top: int, barred: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return what search.nearest_rows does, as far as the index finds it.

        queries: (n, dim) of length 1.  barred: (n, k) rows that may not be found, -1 for none.
        The cosines are those of the vectors themselves.
        """
        n_barred = 0 if barred is None else barred.shape[1]
        wide = np.ascontiguousarray(queries, np.float32)
        n_wanted = min(n_top + n_barred, len(self))
        if len(wide) == 0 or n_wanted == 0:
            return self._scored(wide, np.empty((len(wide), 0), np.int64), n_top)
        found = self._graph.search(wide, n_wanted, threads=self.settings.threads)
        rows = np.array(found.keys, np.int64).reshape(len(wide), -1)
        if len(wide) > 1:  # usearch cuts the answer to a single query itself
            rows[np.arange(rows.shape[1]) >= found.counts[:, np.newaxis]] = -1
        if (rows >= len(self.vectors)).any():
            raise ModelFormatError("the index is damaged: it found a row that does not exist")
        if barred is not None:
            rows[(rows[:, :, np.newaxis] == barred[:, np.newaxis]).any(axis=2)] = -1
        return self._scored(wide, rows, n_top)

    def most_similar(self, vector: NDArray[Any], num_neighbors: int) -> list[tuple[str, float]]:
        """Return words near to a (dim,) vector with their cosines, as gensim's indexers do."""
        length = np.linalg.norm(vector)
        unit = np.asarray(vector, np.float32) / (length if length > 0 else 1)
        rows, scores = self.nearest(unit[np.newaxis], num_neighbors)
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [(self.words[row], score) for row, score in found if row >= 0]

    def _scored(
        self, queries: NDArray[np.float32], rows: NDArray[np.int64], n_top: int
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the (n, n_top) best of some rows of each query and their cosines."""
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
        """Say whether the index has all rows, those looked at with their values, as it should."""
        graph, rows = self._graph, self._sound_rows()
        is_built_so = (graph.dtype.name.lower(), graph.connectivity) == (
            self.settings.dtype,
            self.settings.connectivity,
        )
        if not is_built_so or (len(graph), graph.ndim) != (len(rows), self.vectors.shape[1]):
            return False
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), N_CHECKED)).astype(np.int64)]
        held = [graph.get(int(row), dtype=np.float32) for row in some]
        return all(
            found is not None and bool(np.abs(found - unit).max() < TOLERANCE)
            for found, unit in zip(held, self._units(some), strict=True)
        )


def beside(path: str | PathLike[str]) -> str:
    """Return the path of the index that belongs to the file of a model."""
    return os.fspath(path) + SUFFIX


def open_index(index: VectorIndex, path: str | PathLike[str] | None) -> VectorIndex:
    """Return the index, loaded from beside a model's file where it is one of its vectors."""
    if path is not None and os.path.exists(beside(path)):
        try:
            if index.load(beside(path)):
                return index
            problem = "is of other vectors or settings"
        except (ModelFormatError, ReadError) as error:
            problem = f"cannot be used ({error})"
        warnings.warn(f"{beside(path)} {problem}; the index is built anew", stacklevel=3)
    index.build()
    return index


def _usearch() -> Any:
    """Return the module usearch.index; raise MissingPackageError where it is not installed."""
    return import_optional("usearch.index", "index", "an index")
