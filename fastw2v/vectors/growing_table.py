"""Adding words to a table of vectors, and attributes to its words, with gensim 4's names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastw2v.vectors.search import divide_rows
from fastw2v.vectors.table import KEY_TYPES, Key, Table, VectorTable


class GrowingTable(VectorTable):
    """A table to which words can be added, and whose words can have attributes."""

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one word, into a row set aside if there is one, and return its row.

        A word that is there already keeps its vector.  Many words: add_vectors, in one copy.
        """
        if self.next_index >= len(self) or self.index_to_key[self.next_index] is not None:
            self.add_vectors([key], np.asarray(vector)[np.newaxis])
            self.next_index = len(self)
        elif key not in self.key_to_index:
            row = self.next_index
            self.vectors[row] = vector
            self.index_to_key[row] = key
            self.key_to_index[key] = row
            self.next_index += 1
            self._forget_norms()
        return self.key_to_index[key]

    def add_vectors(
        self,
        keys: Key | Sequence[Key],
        weights: ArrayLike | Sequence[NDArray[Any]],
        extras: Mapping[str, ArrayLike] | None = None,
        replace: bool = False,
    ) -> None:
        """Append words with their vectors.

        keys: one word, or n.  weights: its (dim,) vector, or (n, dim).
        extras: attributes by name, (n,) values each.
        replace: give words that are there already the new vector; else they keep the old one,
        and so does the first of equal words in keys.
        Raises ValueError if the shapes disagree.
        """
        if isinstance(keys, KEY_TYPES):
            keys, weights = [keys], np.asarray(weights).reshape(1, -1)
        rows = np.asarray(weights) if len(keys) else self.vectors[:0]
        if rows.shape != (len(keys), self.vector_size):
            raise ValueError(
                f"{len(keys)} keys need weights of shape ({len(keys)}, {self.vector_size}), "
                f"got {np.shape(weights)}"
            )
        values = {name: np.asarray(column) for name, column in (extras or {}).items()}
        for name, column in values.items():
            if column.shape != (len(keys),):
                raise ValueError(f"{len(keys)} keys need as many {name!r}, got {column.shape}")
        self.allocate_vecattrs(list(values), [column.dtype for column in values.values()])
        added, replaced = self._sort_out(keys, replace)
        self.index_to_key += added
        self.key_to_index.update((key, row) for row, key in enumerate(added, len(self.vectors)))
        self._set_rows(rows, values, list(added.values()), replaced)

    def __setitem__(self, keys: Key | list[Key], weights: NDArray[Any]) -> None:
        """Add words with their vectors; those that are there already get the new one."""
        self.add_vectors(keys, weights, replace=True)

    def _sort_out(
        self, keys: Sequence[Key], replace: bool
    ) -> tuple[dict[Key, int], dict[int, int]]:
        """Return the place in keys for each new word, and for each row to be replaced."""
        added: dict[Key, int] = {}
        replaced: dict[int, int] = {}
        for place, key in enumerate(keys):
            if key in self.key_to_index:
                if replace:
                    replaced[self.key_to_index[key]] = place
            elif replace or key not in added:
                added[key] = place
        return added, replaced

    def _set_rows(
        self,
        rows: NDArray[Any],
        values: Mapping[str, NDArray[Any]],
        added: list[int],
        replaced: Mapping[int, int],
    ) -> None:
        """Append the rows, and attributes, of the places added, and replace those of others."""
        if replaced:
            self.vectors[list(replaced)] = rows[list(replaced.values())]
            self._forget_norms()
        if added:
            new_rows = rows[added].astype(self.vectors.dtype, copy=False)
            self.vectors = np.concatenate([self.vectors, new_rows])
        self.allocate_vecattrs()
        for name, column in values.items():
            self.expandos[name][len(self) - len(added) :] = column[added]
            if replaced:
                self.expandos[name][list(replaced)] = column[list(replaced.values())]

    def unit_normalize_all(self) -> None:
        """Scale all vectors to length 1, in place, for good; rows of zeros stay as they are."""
        self.vectors[:] = divide_rows(self.vectors, self.norms)
        self._forget_norms()

    # ---- attributes of words ----

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """Return an attribute of a word, such as its 'count'; raise KeyError if it has none."""
        row = self.get_index(key)
        if attr not in self.expandos:
            raise KeyError(f"Attribute '{attr}' is not known of these vectors")
        value = self.expandos[attr][row]
        return value.item() if isinstance(value, np.generic) else value

    def set_vecattr(self, key: Key, attr: str, val: Any) -> None:
        """Set an attribute of a word; TypeError unless all words can have one of its type."""
        row = self.get_index(key)
        self.allocate_vecattrs([attr], [type(val)])
        self.expandos[attr][row] = val

    def allocate_vecattrs(
        self, attrs: Sequence[str] | None = None, types: Sequence[Any] | None = None
    ) -> None:
        """Make room for attributes of these types, or for those there are, one a word.

        Raises TypeError if an attribute has another type already.
        """
        if attrs is None or types is None:
            attrs = list(self.expandos)
            types = [self.expandos[attr].dtype for attr in attrs]
        for attr, kind in zip(attrs, types, strict=True):
            dtype = np.dtype(object if kind is str else np.int64 if kind is int else kind)
            held = self.expandos.get(attr, np.zeros(0, dtype))
            if not np.issubdtype(dtype, held.dtype):
                raise TypeError(
                    f"Can't allocate type {kind} for attribute {attr}, "
                    f"conflicts with its existing type {held.dtype}"
                )
            if len(held) != len(self) or attr not in self.expandos:
                self.expandos[attr] = np.zeros(len(self), held.dtype)
                self.expandos[attr][: len(held)] = held[: len(self)]

    def sort_by_descending_frequency(self) -> None:
        """Order the words and their rows by count, the most frequent first.

        Words of equal count change their order, as in gensim.  The vectors become a copy.
        Raises KeyError where no counts are known.
        """
        if not len(self):
            return
        if "count" not in self.expandos:
            raise KeyError("Attribute 'count' is not known of these vectors")
        order = np.lexsort((-np.arange(len(self)), -self.expandos["count"]))
        self.index_to_key = [self.index_to_key[row] for row in order]
        self.key_to_index = {key: row for row, key in enumerate(self.index_to_key)}
        self.expandos = {name: column[order] for name, column in self.expandos.items()}
        self.vectors = self.vectors[order]

    def vectors_for_all(
        self: Table,
        keys: Iterable[Key],
        allow_inference: bool = True,
        copy_vecattrs: bool = False,
    ) -> Table:
        """Return a table of those of the keys that have a vector, each once, in their order.

        allow_inference: accept numbers of rows too, as `in` does.
        copy_vecattrs: with the attributes of the words.
        """
        known = self if allow_inference else self.key_to_index
        found = [key for key in dict.fromkeys(keys) if key in known]
        rows = self._rows_of(found)
        table = type(self).from_arrays(found, self.vectors[rows])
        if copy_vecattrs:
            table.expandos = {name: column[rows] for name, column in self.expandos.items()}
        return table
