"""Words and the rows of a matrix that stand for them: what KeyedVectors builds on."""

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastw2v.base.checks import check_integer
from fastw2v.vectors.search import divide_rows, row_norms, unit_vector

Key = str | int | np.integer[Any]
KeyOrVector = Key | NDArray[Any]
# isinstance needs the classes behind Key.
KEY_TYPES = (str, int, np.integer)
Table = TypeVar("Table", bound="VectorTable")


class _Removed:
    """An attribute of gensim 3 that gensim 4 took away: says what to use."""

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{self.name} went with gensim 4; use {self.instead}")


class VectorTable:
    """Vectors looked up by word, or by row as gensim allows.

    vector_size: values in a vector, at least 1.  count: rows set aside for add_vector.
    dtype: a float type.  mapfile_path: of no meaning, as in gensim.
    index_to_key lists the words by row, most frequent first where that is known; key_to_index
    gives their rows.  vectors, (n_words, vector_size), is kept as it is, padded rows and
    read-only maps included; change it in place and fill_norms(force=True) must follow.
    expandos holds the attributes of the words by name, (n_words,) each.
    """

    _norms: NDArray[Any] | None

    def __init__(
        self,
        vector_size: int,
        count: int = 0,
        dtype: DTypeLike = np.float32,
        mapfile_path: str | None = None,
    ) -> None:
        check_integer("vector_size", vector_size, 1)
        check_integer("count", count, 0)
        self.index_to_key: list[Any] = [None] * count
        self.key_to_index: dict[Any, int] = {}
        self.next_index = 0
        self.expandos: dict[str, NDArray[Any]] = {}
        self.vectors = np.zeros((count, vector_size), dtype)

    @classmethod
    def from_arrays(
        cls: type[Table],
        words: Sequence[Any],
        vectors: NDArray[Any],
        counts: NDArray[np.int64] | None = None,
    ) -> Table:
        """Return a table that shares these arrays.

        words: n_words different strings.  vectors: (n_words, dim) floats.
        counts: (n_words,) int64, or None where they are not known.
        Raises ValueError if the lengths disagree or a word stands twice.
        """
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(f"{len(words)} words need as many rows, got shape {vectors.shape}")
        if counts is not None and counts.shape != (len(words),):
            raise ValueError(f"{len(words)} words need as many counts, got shape {counts.shape}")
        table = cls(vectors.shape[1])
        table.index_to_key = list(words)
        table.key_to_index = {word: row for row, word in enumerate(words)}
        if len(table.key_to_index) != len(words):
            raise ValueError("words must be different from each other")
        table.next_index = len(words)
        table.vectors = vectors
        if counts is not None:
            table.expandos["count"] = counts
        return table

    @property
    def vectors(self) -> NDArray[Any]:
        """The (n_words, vector_size) vectors."""
        return self._vectors

    @vectors.setter
    def vectors(self, vectors: NDArray[Any]) -> None:
        self._vectors = vectors
        self._forget_norms()

    @property
    def vector_size(self) -> int:
        """Values in one vector."""
        return int(self.vectors.shape[1])

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """The (n_words,) counts of the words, None where they are not known."""
        counts = self.expandos.get("count")
        return None if counts is None else counts.astype(np.int64, copy=False)

    @property
    def norms(self) -> NDArray[Any]:
        """The (n_words,) lengths of the vectors, computed once; see fill_norms."""
        if self._norms is None:
            self._norms = row_norms(self.vectors)
        return self._norms

    @norms.setter
    def norms(self, norms: NDArray[Any] | None) -> None:
        self._norms = norms

    def fill_norms(self, force: bool = False) -> None:
        """Compute the lengths of the vectors; call with force=True after changing vectors."""
        if force:
            self._forget_norms()
        self._norms = self.norms

    def _forget_norms(self) -> None:
        """Drop what was computed from the vectors."""
        self._norms = None

    # ---- lookup ----

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<vector_size={self.vector_size}, {len(self)} keys>"

    def __contains__(self, key: object) -> bool:
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys: Key | Iterable[Key]) -> NDArray[Any]:
        """Return the (dim,) vector of a key, or the (n, dim) vectors of several."""
        if isinstance(key_or_keys, KEY_TYPES):
            return self.get_vector(key_or_keys)
        return np.asarray(self.vectors[self._rows_of(key_or_keys)])

    def has_index_for(self, key: object) -> bool:
        """Say whether this is a word that has a vector, or the number of a row."""
        if key in self.key_to_index:
            return True
        return isinstance(key, (int, np.integer)) and 0 <= int(key) < len(self)

    def get_index(self, key: Key, default: int | None = None) -> int:
        """Return the row of a key, or `default`; raise KeyError if it has neither."""
        if self.has_index_for(key):
            return int(self.key_to_index.get(key, key))
        if default is not None:
            return default
        raise KeyError(f"Key '{key}' not present")

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[Any]:
        """Return the (dim,) vector of a key, read-only; norm: scaled to length 1."""
        row = self.get_index(key)
        vector = np.asarray(self.vectors[row])
        if norm:
            vector = divide_rows(vector[np.newaxis], self.norms[row : row + 1])[0]
        vector.flags.writeable = False
        return vector

    def get_normed_vectors(self) -> NDArray[Any]:
        """Return a copy of all vectors, (n_words, dim), scaled to length 1."""
        return divide_rows(self.vectors, self.norms)

    def get_mean_vector(
        self,
        keys: Sequence[KeyOrVector] | NDArray[Any],
        weights: Sequence[float] | NDArray[Any] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[Any]:
        """Return the weighted mean of the vectors of several keys.

        keys: words, row numbers, or (dim,) arrays, which are taken as they are.
        weights: one a key, 1 if None; the sum is divided by the sum of their sizes.
        pre_normalize: scale the vector of each key to length 1 first; post_normalize: the mean.
        Raises ValueError without keys or if the lengths differ; KeyError for an unknown key
        unless ignore_missing.
        """
        if len(keys) == 0:
            raise ValueError("cannot compute mean with no input")
        if weights is None:
            weights = np.ones(len(keys))
        if len(keys) != len(weights):
            raise ValueError("keys and weights array must have same number of elements")
        mean = np.zeros(self.vector_size, self.vectors.dtype)
        total_weight = 0.0
        for key, weight in zip(keys, weights, strict=True):
            if isinstance(key, np.ndarray):
                vector = key
            elif self.has_index_for(key):
                vector = self.get_vector(key, norm=pre_normalize)
            elif ignore_missing:
                continue
            else:
                raise KeyError(f"Key '{key}' not present in vocabulary")
            mean += np.asarray(weight * vector, mean.dtype)
            total_weight += abs(weight)
        if total_weight > 0:
            mean /= mean.dtype.type(total_weight)
        return unit_vector(mean) if post_normalize else mean

    def _rows_of(self, keys: Iterable[Key]) -> NDArray[np.int64]:
        """Return the (n,) rows of several keys; raise KeyError for the first unknown one."""
        return np.array([self.get_index(key) for key in keys], np.int64)

    # gensim 3, for scripts that ask
    vocab = _Removed("key_to_index, index_to_key and get_vecattr(key, attr)")
    index2word = _Removed("index_to_key")
    index2entity = _Removed("index_to_key")
    vectors_norm = _Removed("get_normed_vectors()")
    syn0 = _Removed("vectors")
    syn0norm = _Removed("get_normed_vectors()")
