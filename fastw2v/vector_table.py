"""Words and the rows of a matrix that stand for them: what KeyedVectors builds on."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastw2v.neighbours import divide_rows, row_norms, unit_vector

Key = str | int | np.integer[Any]
KeyOrVector = Key | NDArray[Any]
# isinstance needs the classes behind Key.
KEY_TYPES = (str, int, np.integer)


class VectorTable:
    """Vectors looked up by word, or by row as gensim allows.

    words: n_words different strings, most frequent first.
    vectors: (n_words, dim) floats; kept as they are, padded rows or read-only maps included.
    counts: (n_words,) int64, or None where they are not known.
    Raises ValueError if the lengths disagree or a word stands twice.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: NDArray[Any],
        counts: NDArray[np.int64] | None = None,
    ) -> None:
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(f"{len(words)} words need as many rows, got shape {vectors.shape}")
        if counts is not None and counts.shape != (len(words),):
            raise ValueError(f"{len(words)} words need as many counts, got shape {counts.shape}")
        self.index_to_key: list[str] = list(words)
        self.key_to_index: dict[str, int] = {word: row for row, word in enumerate(words)}
        if len(self.key_to_index) != len(words):
            raise ValueError("words must be different from each other")
        self.vectors = vectors
        self.counts = counts
        self._norms: NDArray[Any] | None = None

    @property
    def vector_size(self) -> int:
        """Values in one vector."""
        return int(self.vectors.shape[1])

    @property
    def norms(self) -> NDArray[Any]:
        """The (n_words,) lengths of the vectors, computed once; see fill_norms."""
        if self._norms is None:
            self._norms = row_norms(self.vectors)
        return self._norms

    def fill_norms(self, force: bool = False) -> None:
        """Compute the lengths of the vectors; call with force=True after changing vectors."""
        if force:
            self._norms = None
        self._norms = self.norms

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
        return np.asarray(self.vectors[[self.get_index(key) for key in key_or_keys]])

    def has_index_for(self, key: object) -> bool:
        """Say whether this is a word that has a vector, or the number of a row."""
        if key in self.key_to_index:
            return True
        return isinstance(key, (int, np.integer)) and 0 <= int(key) < len(self)

    def get_index(self, key: Key, default: int | None = None) -> int:
        """Return the row of a key, or `default`; raise KeyError if it has neither."""
        if self.has_index_for(key):
            return int(self.key_to_index.get(key, key))  # type: ignore[arg-type]
        if default is not None:
            return default
        raise KeyError(f"Key '{key}' not present in vocabulary")

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[Any]:
        """Return the (dim,) vector of a key, read-only; norm: scaled to length 1."""
        row = self.get_index(key)
        vector = np.asarray(self.vectors[row])
        if norm:
            vector = divide_rows(vector[np.newaxis], self.norms[row : row + 1])[0]
        vector.flags.writeable = False
        return vector

    def get_vecattr(self, key: Key, attr: str) -> int:
        """Return an attribute of a key; there is one, 'count', where counts are known."""
        row = self.get_index(key)
        if attr != "count" or self.counts is None:
            raise KeyError(f"Attribute '{attr}' is not known of these vectors")
        return int(self.counts[row])

    def get_normed_vectors(self) -> NDArray[Any]:
        """Return a copy of all vectors, (n_words, dim), scaled to length 1."""
        return divide_rows(self.vectors, self.norms)

    def get_mean_vector(
        self,
        keys: Sequence[KeyOrVector],
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
            elif ignore_missing and not self.has_index_for(key):
                continue
            else:
                vector = self.get_vector(key, norm=pre_normalize)
            mean += np.asarray(weight * vector, mean.dtype)
            total_weight += abs(weight)
        if total_weight > 0:
            mean /= mean.dtype.type(total_weight)
        return unit_vector(mean) if post_normalize else mean
