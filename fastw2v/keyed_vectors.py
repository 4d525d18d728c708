"""KeyedVectors: look up, compare, search, evaluate, load and save word vectors."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastw2v.base.checks import (
    as_list,
    check_choice,
    check_finite,
    check_flag,
    check_integer,
    check_path,
    shown,
)
from fastw2v.base.tables import N_WORDS, few_words, html_table, shortened
from fastw2v.errors import UsageError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.formats import WordVectors, native, read_vectors, write_vectors
from fastw2v.formats.records import format_of_suffix
from fastw2v.formats.word_vectors import first_row_not_finite
from fastw2v.vectors.growth import allocate_columns, checked_columns, split_keys
from fastw2v.vectors.index import Indexer, IndexSettings, VectorIndex, beside, open_index
from fastw2v.vectors.search import (
    best_rows,
    cosine_products,
    cosines,
    divide_rows,
    nearest_rows,
    row_norms,
    unit_rows,
    unit_vector,
)
from fastw2v.vectors.task_files import TaskFile
from fastw2v.vectors.word2vec_files import Reading, Writing

Path = str | PathLike[str]
Key = str | int | np.integer[Any]
MAX_ROWS = 2**63 - 1
KEY_TYPES = (str, int, np.integer)  # isinstance needs the classes behind Key
KeyOrVector = Key | NDArray[Any]
# The argument of most_similar: one key or vector, or several, each with or without a weight.
Query = KeyOrVector | Sequence[KeyOrVector | tuple[KeyOrVector, float]] | None
# (word, score) pairs, best first, or the scores of all rows.
Similar = list[tuple[str, float]] | NDArray[Any]
Vectors = TypeVar("Vectors", bound="KeyedVectors")


class Correlation(NamedTuple):
    """A correlation and its two-sided p-value."""

    statistic: float
    pvalue: float


class _Removed:
    """An attribute that gensim 4 removed; reading it raises an error that names the replacement."""

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"gensim 4 removed {self.name}; use {self.instead}")


class KeyedVectors:
    """Store word vectors, with the names and meanings of gensim 4's KeyedVectors.

    vector_size: values per vector, at least 1.  count: rows to reserve for add_vector, >= 0.
    dtype: a float type.  mapfile_path: ignored, accepted for compatibility with gensim.

    Attributes, all of which can be assigned:
    index_to_key: the key of each row, most frequent first if counts are known.
    key_to_index: the row of each key.
    vectors: (n_words, vector_size) floats, held without a copy.  Rows may be padded, or mapped
    read-only from a file.  After changing vectors in place, call fill_norms(force=True).
    norms: (n_words,) Euclidean norms of the vectors, computed on first use.
    expandos: word attributes by name, such as "count", each of shape (n_words,).
    next_index: the next reserved row that add_vector fills.
    indexer: the index built by index(), used to search all rows.  None: every search is exact.
    vectors_lockf: (n_words,) or (1,), used by the wv of a model: 0 freezes a vector during
    training, 1 trains it.  None: all vectors are trained.
    """

    indexer: VectorIndex | None = None
    vectors_lockf: NDArray[np.floating[Any]] | None = None
    damage: str = ""  # why save() refuses the vectors, for example because training diverged
    _file: Path | None = None  # index() looks for an index beside this file
    _norms: NDArray[Any] | None
    _integers_of = 0  # the number of words that were all integers, negative if they were not

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
        cls: type[Vectors],
        words: Sequence[Any],
        vectors: NDArray[Any],
        counts: NDArray[np.int64] | None = None,
    ) -> Vectors:
        """Return a KeyedVectors that shares these arrays.

        words: n_words distinct strings.  vectors: (n_words, dim) floats.
        counts: (n_words,) int64, or None if unknown.
        Raises ValueError if the lengths disagree or a word occurs twice.
        """
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(f"{len(words)} words need as many rows, got shape {vectors.shape}")
        if counts is not None and counts.shape != (len(words),):
            raise ValueError(f"{len(words)} words need as many counts, got shape {counts.shape}")
        made = cls(vectors.shape[1])
        made.index_to_key = list(words)
        made.key_to_index = {word: row for row, word in enumerate(words)}
        if len(made.key_to_index) != len(words):
            raise ValueError("words must be different from each other")
        made.next_index = len(words)
        made.vectors = vectors
        if counts is not None:
            made.expandos["count"] = counts
        return made

    @classmethod
    def from_word_vectors(cls, word_vectors: WordVectors) -> "KeyedVectors":
        """Return a KeyedVectors that shares the arrays of a WordVectors."""
        return cls.from_arrays(word_vectors.words, word_vectors.vectors, word_vectors.counts)

    def to_word_vectors(self) -> WordVectors:
        """Return words, vectors and counts as a WordVectors, which any format can write.

        Vectors of another float type are converted to float32.  Reserved rows without a word are
        left out.
        Raises UsageError if a key is not a string.
        """
        table = self._without_reserved()
        odd = next((key for key in table.index_to_key if not isinstance(key, str)), "")
        if odd != "":
            raise UsageError(f"keys must be strings to be written to a file, got {odd!r}")
        vectors = table.vectors.astype(np.float32, copy=False)
        return WordVectors(table.index_to_key, vectors, table.counts, damage=self.damage)

    def _without_reserved(self) -> "KeyedVectors":
        """Return these vectors without the reserved rows that have no word."""
        if None not in self.index_to_key:
            return self
        rows = [row for row, key in enumerate(self.index_to_key) if key is not None]
        table = KeyedVectors.from_arrays(
            [self.index_to_key[row] for row in rows], self.vectors[rows]
        )
        table.expandos = {name: column[rows] for name, column in self.expandos.items()}
        return table

    # ---- the vectors and their norms ----

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
        """The (n_words,) int64 word counts, or None if unknown."""
        counts = self.expandos.get("count")
        return None if counts is None else counts.astype(np.int64, copy=False)

    @property
    def norms(self) -> NDArray[Any]:
        """The (n_words,) Euclidean norms of the vectors, computed once; see fill_norms."""
        if self._norms is None:
            self._norms = row_norms(self.vectors)
        return self._norms

    @norms.setter
    def norms(self, norms: NDArray[Any] | None) -> None:
        self._norms = norms

    def fill_norms(self, force: bool = False) -> None:
        """Compute the norms if needed; after changing vectors in place, call it with force=True."""
        if force:
            self._forget_norms()
        self._norms = self.norms

    def _forget_norms(self) -> None:
        """Discard the norms and the index, which are stale once the vectors change."""
        self._norms = None
        if self.indexer is not None:
            self.indexer = None
            warnings.warn("the vectors changed; searches are exact until index()", stacklevel=4)

    def get_normed_vectors(self) -> NDArray[Any]:
        """Return a copy of all vectors, (n_words, dim), each scaled to length 1."""
        return divide_rows(self.vectors, self.norms)

    def unit_normalize_all(self) -> None:
        """Scale all vectors to length 1 in place; zero vectors stay zero."""
        self.vectors[:] = divide_rows(self.vectors, self.norms)
        self._forget_norms()

    # ---- lookup ----

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __str__(self) -> str:
        return f"{type(self).__name__}<vector_size={self.vector_size}, {len(self)} keys>"

    def __repr__(self) -> str:
        keys = few_words(self.index_to_key)
        return f"{str(self)[:-1]}{': ' if keys else ''}{keys}>"

    def _repr_html_(self) -> str:
        columns: dict[str, list[Any]] = {"key": [*map(shortened, self.index_to_key[:N_WORDS])]}
        counts = self.expandos.get("count")
        if counts is not None:
            columns["count"] = counts[:N_WORDS].tolist()
        columns["norm"] = row_norms(self.vectors[:N_WORDS]).tolist()
        title = f"{str(self)[:-1]}, {self.vectors.dtype}>"
        return html_table(title, zip(*columns.values(), strict=True), list(columns))

    def __contains__(self, key: object) -> bool:
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys: Key | Iterable[Key]) -> NDArray[Any]:
        """Return the (dim,) vector of a key, or the (n, dim) vectors of several."""
        if isinstance(key_or_keys, KEY_TYPES):
            return self.get_vector(key_or_keys)
        return np.asarray(self.vectors[self._rows_of(key_or_keys)])

    def has_index_for(self, key: object) -> bool:
        """Return whether the key is a known word or a valid row number; see get_index."""
        return self._row_of(key) is not None

    def get_index(self, key: Key, default: int | None = None) -> int:
        """Return the row of a key, or `default` if the key is unknown.

        An integer that is no key is a row number, as in gensim.  But if all words are integers,
        as after training on integer tokens, it is one of them: 3 is the word "3".
        Raises KeyError if the key is unknown and `default` is None.
        """
        row = self._row_of(key)
        if row is not None:
            return row
        if default is not None:
            return default
        raise KeyError(f"Key '{key}' not present{self._meant(key)}")

    def _meant(self, key: Any) -> str:
        """Return a question for an error message: which key may be meant, if any."""
        from fastw2v.base.spelling import same_word

        word = same_word(key, self.key_to_index)
        return "" if word is None else f"; did you mean '{word}'?"

    def _row_of(self, key: Any) -> int | None:
        """Return the row of a key, None if it is unknown."""
        try:
            row = self.key_to_index.get(key)
        except TypeError:  # a list, an array or another key without a hash
            return None
        if row is None and isinstance(key, (int, np.integer)):
            if self._has_integers_as_words():
                return self.key_to_index.get(str(key))
            row = int(key) if 0 <= int(key) < len(self) else None
        return row

    def _has_integers_as_words(self) -> bool:
        """Return whether all words are integers; found once for each number of words."""
        words = self.index_to_key
        if not (words and isinstance(words[0], str) and _is_integer(words[0])):
            return False
        if abs(self._integers_of) != len(words):
            is_so = all(isinstance(word, str) and _is_integer(word) for word in words)
            self._integers_of = len(words) if is_so else -len(words)
        return self._integers_of == len(words)

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[Any]:
        """Return the (dim,) vector of a key, read-only.

        norm: scale the vector to length 1.  Raises KeyError for an unknown key.
        """
        check_flag("norm", norm)
        row = self.get_index(key)
        vector = np.asarray(self.vectors[row])
        if norm:
            vector = divide_rows(vector[np.newaxis], self.norms[row : row + 1])[0]
        vector.flags.writeable = False
        return vector

    def get_mean_vector(
        self,
        keys: Sequence[KeyOrVector] | NDArray[Any],
        weights: Sequence[float] | NDArray[Any] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[Any]:
        """Return the weighted mean of several vectors, (dim,).

        keys: words, row numbers, or (dim,) arrays; arrays are used without scaling.
        weights: one per key, 1 if None.  The weighted sum is divided by the sum of their absolute
        values.
        pre_normalize: scale the vector of each word to length 1 before averaging.
        post_normalize: scale the mean to length 1.
        ignore_missing: skip unknown keys instead of raising KeyError.
        Raises ValueError if there are no keys or if keys and weights differ in length.
        """
        keys = as_list(keys, "keys", "keys")
        check_flag("pre_normalize", pre_normalize)
        check_flag("post_normalize", post_normalize)
        if len(keys) == 0:
            raise ValueError("cannot compute mean with no input")
        weights = numbers_of(np.ones(len(keys)) if weights is None else weights, "weights")
        if weights.ndim != 1:
            raise UsageError(f"weights must be one number for each key, got {shown(weights)}")
        if len(keys) != len(weights):
            raise ValueError("keys and weights array must have same number of elements")
        mean = np.zeros(self.vector_size, self.vectors.dtype)
        total_weight = 0.0
        for key, weight in zip(keys, weights, strict=True):
            if isinstance(key, np.ndarray):
                vector = self._vector(key)
            elif self.has_index_for(key):
                vector = self.get_vector(key, norm=pre_normalize)
            elif ignore_missing:
                continue
            else:
                missing = f"Key '{key}' not present in vocabulary"
                raise KeyError(f"{missing}{self._meant(key)}")
            mean += np.asarray(weight * vector, mean.dtype)
            total_weight += abs(weight)
        if total_weight > 0:
            mean /= mean.dtype.type(total_weight)
        return unit_vector(mean) if post_normalize else mean

    def vectors_for_all(
        self: Vectors,
        keys: Iterable[Key],
        allow_inference: bool = True,
        copy_vecattrs: bool = False,
    ) -> Vectors:
        """Return a new KeyedVectors with the known keys, without duplicates, in the given order.

        allow_inference: also accept row numbers, as `in` does.
        copy_vecattrs: also copy the word attributes.
        """
        check_flag("allow_inference", allow_inference)
        known = self if allow_inference else self.key_to_index
        check_flag("copy_vecattrs", copy_vecattrs)
        words = as_list(keys, "keys", "keys")
        if not all(isinstance(key, KEY_TYPES) for key in words):
            raise UsageError(f"keys must be words, got {shown(words)}")
        found = [key for key in dict.fromkeys(words) if key in known]
        rows = self._rows_of(found)
        part = type(self).from_arrays(found, self.vectors[rows])
        if copy_vecattrs:
            part.expandos = {name: column[rows] for name, column in self.expandos.items()}
        return part

    def _rows_of(self, keys: Iterable[Key]) -> NDArray[np.int64]:
        """Return the (n,) rows of n keys; raise KeyError for the first unknown one."""
        return np.array([self.get_index(key) for key in as_list(keys, "keys", "keys")], np.int64)

    def _vector(self, vector: Any) -> NDArray[Any]:
        """Return a vector of the model's dimension.  Raises UsageError for anything else."""
        array = numbers_of(vector, "a key or vector")
        if array.dtype.kind != "f":
            array = array.astype(np.float64)
        if array.shape != (self.vector_size,):
            raise UsageError(f"a vector must be of shape ({self.vector_size},), got {array.shape}")
        return array

    # ---- adding words ----

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one word and return its row, using a reserved row if one is left.

        A known word keeps its vector.  To add many words, use add_vectors, which copies the
        matrix only once.
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

        keys: one word, or n words.  weights: a (dim,) vector, or (n, dim) for n words.
        extras: word attributes by name, each of shape (n,).
        replace: overwrite the vectors of known words.  If a word occurs more than once in keys,
        the last vector is used with replace=True, and the first otherwise.
        Raises ValueError if the shapes disagree.
        """
        check_flag("replace", replace)
        weights = numbers_of(weights, "weights")
        if isinstance(keys, KEY_TYPES):
            keys, weights = [keys], weights.reshape(1, -1)
        keys = as_list(keys, "keys", "keys")
        if not all(isinstance(key, KEY_TYPES) for key in keys):
            raise UsageError(f"keys must be words, got {shown(keys)}")
        rows = weights if len(keys) else self.vectors[:0]
        if rows.shape != (len(keys), self.vector_size):
            raise UsageError(
                f"{len(keys)} keys need weights of shape ({len(keys)}, {self.vector_size}), "
                f"got {np.shape(weights)}"
            )
        columns = checked_columns(extras, len(keys))
        self.allocate_vecattrs(list(columns), [column.dtype for column in columns.values()])
        added, replaced = split_keys(keys, self.key_to_index, replace)
        old_rows, sources = list(replaced), list(replaced.values())
        if replaced:
            self.vectors[old_rows] = rows[sources]
            self._forget_norms()
        n_before, new_sources = len(self.vectors), list(added.values())
        self.index_to_key += added
        self.key_to_index.update((key, row) for row, key in enumerate(added, n_before))
        if added:
            new_rows = rows[new_sources].astype(self.vectors.dtype, copy=False)
            self.vectors = np.concatenate([self.vectors, new_rows])
        self.allocate_vecattrs()
        for name, column in columns.items():
            self.expandos[name][n_before:] = column[new_sources]
            self.expandos[name][old_rows] = column[sources]

    def __setitem__(self, keys: Key | list[Key], weights: NDArray[Any]) -> None:
        """Add words with their vectors; the vectors of known words are replaced."""
        self.add_vectors(keys, weights, replace=True)

    def sort_by_descending_frequency(self) -> None:
        """Sort the words and their rows by count, most frequent first.

        Words of equal count are reversed, as in gensim.  The vectors are copied.
        Raises KeyError if no counts are known.
        """
        if not len(self):
            return
        if "count" not in self.expandos:
            raise KeyError("these vectors have no attribute 'count'")
        order = np.lexsort((-np.arange(len(self)), -self.expandos["count"]))
        self.index_to_key = [self.index_to_key[row] for row in order]
        self.key_to_index = {key: row for row, key in enumerate(self.index_to_key)}
        self.expandos = {name: column[order] for name, column in self.expandos.items()}
        self.vectors = self.vectors[order]

    # ---- attributes of words ----

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """Return an attribute of a word, such as 'count'.  Raises KeyError if it does not exist."""
        row = self.get_index(key)
        if attr not in self.expandos:
            raise KeyError(f"these vectors have no attribute '{attr}'")
        value = self.expandos[attr][row]
        return value.item() if isinstance(value, np.generic) else value

    def set_vecattr(self, key: Key, attr: str, val: Any) -> None:
        """Set an attribute of a word.

        Raises TypeError if the attribute exists with another type.
        """
        row = self.get_index(key)
        self.allocate_vecattrs([attr], [type(val)])
        self.expandos[attr][row] = val

    def allocate_vecattrs(
        self, attrs: Sequence[str] | None = None, types: Sequence[Any] | None = None
    ) -> None:
        """Allocate attributes, one value per word.

        attrs, types: names and types, of equal length.  If either is None, resize the existing
        attributes to the number of words.
        Raises TypeError if an attribute exists with another type.
        """
        if attrs is None or types is None:
            attrs = list(self.expandos)
            types = [self.expandos[attr].dtype for attr in attrs]
        allocate_columns(self.expandos, len(self), zip(attrs, types, strict=True))

    # ---- comparing words ----

    def similarity(self, w1: Key, w2: Key) -> float:
        """Return the cosine of the vectors of two keys."""
        return float(self.get_vector(w1, norm=True) @ self.get_vector(w2, norm=True))

    def distance(self, w1: Key, w2: Key) -> float:
        """Return 1 - similarity(w1, w2)."""
        return 1 - self.similarity(w1, w2)

    def distances(
        self, word_or_vector: KeyOrVector, other_words: Iterable[Key] | None = ()
    ) -> NDArray[Any]:
        """Return 1 - cosine of a key or vector with each other word.

        other_words: the words to compare with; all words if empty or None.
        """
        query = word_or_vector
        if isinstance(query, KEY_TYPES):
            query = self.get_vector(query)
        query = self._vector(query)
        others = [] if other_words is None else as_list(other_words, "other_words", "keys")
        if others:
            return 1 - self.cosine_similarities(query, self[others])
        return 1 - cosines(self.vectors, self.norms, unit_vector(query))

    @staticmethod
    def cosine_similarities(vector_1: NDArray[Any], vectors_all: NDArray[Any]) -> NDArray[Any]:
        """Return the (n,) cosines of a (dim,) vector with (n, dim) vectors; 0 for zero vectors."""
        return cosines(vectors_all, row_norms(vectors_all), unit_vector(vector_1))

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key]) -> float:
        """Return the cosine of the mean vectors of two lists of keys."""
        ws1, ws2 = as_list(ws1, "ws1", "keys"), as_list(ws2, "ws2", "keys")
        if not (ws1 and ws2):
            raise ZeroDivisionError("At least one of the passed list is empty.")
        mean1, mean2 = (self.get_mean_vector(keys, pre_normalize=False) for keys in (ws1, ws2))
        return float(unit_vector(mean1) @ unit_vector(mean2))

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """Return the key in keys_list that is most similar to key1."""
        choices = as_list(keys_list, "keys_list", "keys")
        if not choices:
            raise UsageError("keys_list must have at least one key")
        best: Key = choices[int(np.argmax([self.similarity(key1, key) for key in choices]))]
        return best

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """Return all words that are closer to key1 than key2 is."""
        distances = self.distances(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[row] for row in closer if row != self.get_index(key1)]

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the rank of key2, from 1, when all words are sorted by distance from key1."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(
        self, words: Iterable[Key], use_norm: bool = True
    ) -> list[tuple[float, Key]]:
        """Return (cosine, word) pairs, sorted by cosine with the mean of all the vectors.

        use_norm: scale the vectors to length 1 before averaging.  Unknown words are left out.
        Raises ValueError if no word is known.
        """
        known = [word for word in as_list(words, "words", "keys") if word in self]
        if not known:
            raise ValueError("cannot select a word from an empty list")
        vectors = np.stack([self.get_vector(word, norm=use_norm) for word in known])
        scores = vectors @ unit_vector(vectors.mean(axis=0))
        return sorted(zip(scores.tolist(), known, strict=True), reverse=True)

    def doesnt_match(self, words: Iterable[Key]) -> Key:
        """Return the word farthest from the mean of the known words; unknown words are left out."""
        return self.rank_by_centrality(words)[-1][1]

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """Return the cosine of wa and wb, divided by the sum of the cosines of wa's neighbours.

        topn: the number of neighbours of wa to sum over.
        Reference: Leeuwenberg et al. 2016, "A Minimally Supervised Approach for Synonym
        Extraction with Word Embeddings", equation 1.
        Raises ValueError if topn is 0.
        """
        check_integer("topn", topn, -MAX_ROWS, MAX_ROWS)
        near = self.similar_by_key(wa, topn)
        if not len(near):
            raise UsageError(
                "Cannot calculate relative cosine similarity without any similar words."
            )
        return self.similarity(wa, wb) / sum(cosine for _, cosine in near)

    # ---- search ----

    def most_similar(
        self,
        positive: Query = None,
        negative: Query = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Indexer | None = None,
    ) -> Similar:
        """Return the words nearest to a weighted mean of vectors, excluding the query words.

        positive, negative: keys or vectors.  The weight is 1 for positive and -1 for negative,
        unless given as a pair (key, weight).
        topn: number of (word, cosine) pairs to return, best first.  None: return the cosines of
        all rows searched instead.
        clip_start, clip_end: search only rows clip_start to clip_end - 1.
        restrict_vocab: search only the first restrict_vocab rows; overrides clip_start and
        clip_end.
        indexer: an index to search with instead.  Its results may include the query words, as in
        gensim.
        Raises KeyError for an unknown key, ValueError if no key is given.
        """
        if check_search(topn, restrict_vocab) == 0:
            return []
        pairs = [*_weighted(positive, 1.0), *_weighted(negative, -1.0)]
        keys = [key for key, _ in pairs]
        weights = [weight for _, weight in pairs]
        mean = self.get_mean_vector(keys, weights, post_normalize=True, ignore_missing=False)
        if restrict_vocab:
            clip_start, clip_end = 0, restrict_vocab
        is_own = self.indexer is not None and indexer in (None, self.indexer)
        if is_own and topn is not None and not (clip_start or clip_end):
            barred = np.array([[*self._own_rows(keys)]], np.int64).reshape(1, -1)
            return self._named(*self._search(mean[np.newaxis], topn, None, barred))[0]
        if indexer is not None and topn is not None:
            return indexer.most_similar(mean, topn)
        rows = slice(clip_start, clip_end or len(self))
        scores = cosines(self.vectors[rows], self.norms[rows], mean)
        return scores if topn is None else self._best_words(scores, topn, keys, clip_start)

    def similar_by_key(
        self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Similar:
        """Return the words nearest to a key; see most_similar for the parameters."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_word(
        self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Similar:
        """Return the words nearest to a word; same as similar_by_key."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Similar:
        """Return the words nearest to a (dim,) vector; see most_similar for the parameters."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_batch(
        self,
        queries: Sequence[Key] | NDArray[Any],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[list[tuple[str, float]]]:
        """Return a list of (word, cosine) pairs for each query; see nearest for the parameters."""
        return self._named(*self.nearest(queries, topn, restrict_vocab))

    def nearest(
        self,
        queries: Sequence[Key] | NDArray[Any],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the rows nearest to each query, and their cosines, best first.

        Much faster than calling most_similar in a loop, because it multiplies whole matrices.

        queries: n words, n (dim,) vectors, or an (n, dim) matrix.  A word is never its own answer.
        topn: rows per query, at least 1.
        restrict_vocab: search only the first restrict_vocab rows.
        Returns (n, topn) int64 rows and (n, topn) floats.  If fewer rows exist, the rest is filled
        with -1 and -inf.
        Raises KeyError for an unknown word, UsageError for a matrix of the wrong shape.
        """
        check_integer("topn", topn, 1)
        check_search(topn, restrict_vocab)
        barred = None
        if isinstance(queries, str) or not hasattr(queries, "__len__"):
            raise UsageError(f"queries must be a list of words or a matrix, got {shown(queries)}")
        if len(queries) and isinstance(queries[0], np.ndarray):
            vectors = np.asarray(queries)
        else:
            rows = self._rows_of(queries)
            vectors, barred = self.vectors[rows], rows[:, np.newaxis]
        if vectors.ndim != 2 or vectors.shape[1] != self.vector_size:
            raise UsageError(
                f"queries must be words or of shape (n, {self.vector_size}), got {vectors.shape}"
            )
        wide = vectors.astype(np.result_type(vectors, np.float32), copy=False)
        return self._search(unit_rows(wide), topn, restrict_vocab, barred)

    def most_similar_cosmul(
        self,
        positive: Query = None,
        negative: Query = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> Similar:
        """Return the words with the highest product of cosines (3CosMul), instead of their sum.

        positive, negative: keys or vectors, without weights.
        topn, restrict_vocab: as for most_similar.
        Raises KeyError for an unknown key, ValueError if positive is empty.
        Reference: Levy and Goldberg 2014 (W14-1618), equation 4.
        """
        if check_search(topn, restrict_vocab) == 0:
            return []
        added = [key for key, _ in _weighted(positive, 1.0)]
        taken = [key for key, _ in _weighted(negative, -1.0)]
        if not added:
            raise ValueError("cannot compute similarity with no input")
        rows = slice(0, restrict_vocab or len(self))
        products = [
            cosine_products(self.vectors[rows], self.norms[rows], self._unit_queries(keys))
            for keys in (added, taken)
        ]
        scores = products[0] / (products[1] + 0.000001)
        return scores if topn is None else self._best_words(scores, topn, [*added, *taken], 0)

    def index(
        self,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
        dtype: str = "f16",
        threads: int = 0,
    ) -> VectorIndex:
        """Build an approximate index, use it for all searches of the whole vocabulary, return it.

        The index finds most of the nearest words, but may miss some.  The cosines are exact.
        If save() wrote an index file next to the vectors file and it still matches, the index is
        loaded from there.  Set wv.indexer = None to return to exact search.

        connectivity: neighbours linked to each row, at least 2.
        expansion_add, expansion_search: candidates examined when adding and when searching a row,
        at least 1.  More is slower and finds more of the true neighbours.
        dtype: "f32", "f16", "bf16" or "i8", the type of the values in the index.
        threads: 0 uses all cores.
        Raises UsageError if a value is out of range, MissingPackageError if the extra `index`
        (usearch) is not installed.
        """
        settings = IndexSettings(connectivity, expansion_add, expansion_search, dtype, threads)
        if self.indexer is None or self.indexer.settings != settings:
            index = VectorIndex(self.index_to_key, self.vectors, self.norms, settings)
            self.indexer = open_index(index, self._file)
        return self.indexer

    def _search(
        self,
        queries: NDArray[Any],
        topn: int,
        restrict_vocab: int | None,
        barred: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Search for (n, dim) queries of length 1, with the index if possible; see nearest."""
        if self.indexer is not None and not restrict_vocab:
            return self.indexer.nearest(queries, topn, barred)
        n_rows = restrict_vocab or len(self)
        return nearest_rows(self.vectors[:n_rows], self.norms[:n_rows], queries, topn, barred)

    def _named(
        self, rows: NDArray[np.int64], scores: NDArray[Any]
    ) -> list[list[tuple[str, float]]]:
        """Convert (n, topn) rows and scores to lists of (word, score) pairs."""
        return [
            [(self.index_to_key[row], score) for row, score in zip(*found, strict=True) if row >= 0]
            for found in zip(rows.tolist(), scores.tolist(), strict=True)
        ]

    def _best_words(
        self, scores: NDArray[Any], topn: int, keys: Sequence[KeyOrVector], first_row: int
    ) -> list[tuple[str, float]]:
        """Return the topn best words, excluding keys; scores[0] belongs to row first_row."""
        norms = self.norms[first_row : first_row + len(scores)]
        own_rows = {row - first_row for row in self._own_rows(keys)}
        best = best_rows(scores, norms, topn, own_rows)
        return [(self.index_to_key[first_row + row], float(scores[row])) for row in best]

    def _own_rows(self, keys: Sequence[KeyOrVector]) -> set[int]:
        """Return the rows of the keys, ignoring vectors."""
        return {self.get_index(key) for key in keys if isinstance(key, KEY_TYPES)}

    def _unit_queries(self, keys: Sequence[KeyOrVector]) -> list[NDArray[Any]]:
        """Return the vectors of the keys, scaled to length 1; vectors are returned unchanged."""
        return [
            self.get_vector(key, norm=True) if isinstance(key, KEY_TYPES) else self._vector(key)
            for key in keys
        ]

    # ---- files ----

    @classmethod
    def read(
        cls,
        path: Path,
        format: str | None = None,
        mmap: bool = False,
        limit: int | None = None,
        *,
        verify: bool = True,
        allow_non_finite: bool = False,
    ) -> "KeyedVectors":
        """Read a vectors file of any supported format.

        format: a format name, or None to detect it from the content.
        mmap, verify: as for load; native and gensim's files only.
        limit: maximum number of rows to read, >= 0; None reads all.
        allow_non_finite: also read NaN, infinities and numbers beyond float32, which are an error
        otherwise.  Mapped vectors are not checked.
        Raises ReadError, ModelFormatError, or UsageError if the format cannot be mapped.
        """
        data = read_vectors(
            path, format, mmap, limit, verify=verify, allow_non_finite=allow_non_finite
        )
        found = cls.from_word_vectors(data)
        found._file = path
        return found

    @classmethod
    def load(
        cls,
        fname: Path,
        mmap: bool | str | None = False,
        *,
        verify: bool = True,
        allow_non_finite: bool = False,
    ) -> "KeyedVectors":
        """Read a native file, or one that gensim saved, without the output vectors of a model.

        mmap: map the vectors read-only instead of reading them.  True, or 'r' as in gensim.  If
        another program truncates a mapped file, the system ends this process (SIGBUS) as soon as a
        missing part is used.  Replacing the file, as save does, is safe.
        Of what gensim saved, .npy files are mapped, and all else is read.
        verify: compare every byte of the file with its checksums, which reads the whole file, also
        with mmap.  False skips that, for mapped files that are larger than the memory.
        allow_non_finite: as for read.
        Raises ReadError, or ModelFormatError that describes the problem in the file.
        """
        from fastw2v.formats.sniff import is_gensim  # not needed to train

        check_path("fname", fname)
        if is_gensim(fname):
            return cls.read(fname, "gensim", bool(mmap), allow_non_finite=allow_non_finite)
        data = native.read(fname, mmap=bool(mmap), verify=verify, with_output=False)
        if not (mmap or allow_non_finite):
            data.check_read(fname)
        found = cls.from_word_vectors(data)
        found._file = fname
        return found

    def save(self, fname: Path, *, allow_non_finite: bool = False) -> None:
        """Write words, vectors and counts, and the index, if any, next to them.

        The suffix of fname chooses the format, as on the command line; one of no format, such as
        .kv, means native, the only format that keeps counts of every kind and can be mapped.

        allow_non_finite: also write NaN, infinities and the vectors of a diverged model.
        Raises SaveError if a file cannot be written.  Raises DivergedError for non-finite values
        or a diverged model, unless allow_non_finite is set.
        """
        check_path("fname", fname)
        check_flag("allow_non_finite", allow_non_finite)
        found = self.to_word_vectors()
        if not allow_non_finite:
            found.check_finite(fname)
        write_vectors(fname, found, format_of_suffix(fname))
        self.save_index(fname)

    def save_index(self, fname: Path) -> None:
        """Write the index, if any, to `fname`.usearch, next to the model file `fname`."""
        self._file = fname
        if self.indexer is not None:
            self.indexer.save(beside(fname))

    def save_word2vec_format(
        self,
        fname: Path,
        fvocab: Path | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
        *,
        allow_non_finite: bool = False,
    ) -> None:
        """Write the vectors in a format of word2vec.c, compressed if fname ends in .gz, .bz2, ...

        fvocab: also write the word counts to this file, one line `word count` per word.
        binary: write the binary format instead of text.
        total_vec: the number of words in the header, if more rows will be appended later.
        write_header: whether to write the line `n_words dim`.
        prefix: text to write before each word.
        append: append to the file instead of replacing it.
        sort_attr: sort the words by this attribute, largest first.  If it is unknown, the rows
        keep their order.
        allow_non_finite: as for save.
        Raises SaveError; UsageError if fvocab is given but the attribute is unknown; DivergedError
        as save does.
        """
        check_path("fname", fname)
        for name, flag in (("binary", binary), ("allow_non_finite", allow_non_finite)):
            check_flag(name, flag)
        table = self._without_reserved()
        column = table.expandos.get(sort_attr)
        if fvocab is not None and column is None:
            raise UsageError(
                f"cannot write {os.fspath(fvocab)}: the {sort_attr} of these words is unknown"
            )
        words = [str(key) for key in table.index_to_key]
        vectors = table.vectors.astype(np.float32, copy=False)
        found = WordVectors(words, vectors, damage=self.damage)
        if not allow_non_finite:
            found.check_finite(fname)
        if column is not None:
            order = np.argsort(-column, kind="stable")
            if (order[1:] < order[:-1]).any():
                words = [found.words[row] for row in order]
                found, column = WordVectors(words, found.vectors[order]), column[order]
        writing = Writing(binary, total_vec, write_header, prefix, append)
        writing.write(fname, found)
        if fvocab is not None and column is not None:
            writing.write_counts(fvocab, found.words, column)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: Path,
        fvocab: Path | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "surrogateescape",
        limit: int | None = None,
        datatype: type[np.floating[Any]] = np.float32,
        no_header: bool = False,
        *,
        allow_non_finite: bool = False,
    ) -> "KeyedVectors":
        """Read vectors in a format of word2vec.c; the file may be compressed.

        fvocab: a file of `word count` lines, for get_vecattr(word, 'count').  Without it, counts
        are unknown.
        binary: read the binary format instead of text.
        encoding, unicode_errors: how to decode the words.  The default preserves bytes that are
        not UTF-8; gensim's default raises an error.
        limit: maximum number of rows to read; None reads all.
        datatype: the float type of the vectors.
        no_header: read GloVe's text, which has no header.
        allow_non_finite: as for read.
        Raises ReadError, UsageError for a word without a count or a vector beyond datatype, or
        ModelFormatError naming the line or byte.
        """
        check_path("fname", fname)
        check_flag("binary", binary)
        check_flag("no_header", no_header)
        reading = Reading(binary, encoding, unicode_errors, limit, no_header, allow_non_finite)
        found = reading.read(fname)
        counts = None if fvocab is None else reading.counts(found.words, fvocab)
        with np.errstate(over="ignore"):
            vectors = found.vectors.astype(datatype, copy=False)
        is_checked = allow_non_finite or vectors is found.vectors
        row = None if is_checked else first_row_not_finite(vectors)
        if row is not None:
            raise UsageError(f"{vectors.dtype} cannot hold the vector of {found.words[row]!r}")
        return cls.from_arrays(found.words, vectors, counts)

    def intersect_word2vec_format(
        self,
        fname: Path,
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "surrogateescape",
    ) -> int:
        """Overwrite the vectors of the words that a file also contains; return their number.

        The rows change in place, and a model continues training from them.
        lockf: the value of vectors_lockf for these words: 0 freezes them, 1 trains them.
        binary, encoding, unicode_errors: as for load_word2vec_format.
        Raises ReadError, ModelFormatError, or UsageError if the vector sizes differ.
        """
        check_path("fname", fname)
        check_flag("binary", binary)
        found = Reading(binary, encoding, unicode_errors).read(fname)
        if found.dim != self.vector_size:
            raise UsageError(
                f"incompatible vector size {found.dim} in file {os.fspath(fname)}, "
                f"expected {self.vector_size}"
            )
        pairs = [
            (self.key_to_index[word], row)
            for row, word in enumerate(found.words)
            if word in self.key_to_index
        ]
        own, theirs = np.array(pairs, np.int64).reshape(-1, 2).T
        self.vectors[own] = found.vectors[theirs]
        self._forget_norms()
        factors = np.ones(1, np.float32) if self.vectors_lockf is None else self.vectors_lockf
        self.vectors_lockf = np.array(np.broadcast_to(factors, len(self)))
        self.vectors_lockf[own] = lockf
        return len(own)

    # ---- evaluation ----

    def evaluate_word_analogies(
        self,
        analogies: Path,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Return the accuracy on a file of analogy questions and the sections, as gensim does.

        analogies: a file of sections: a line `: name`, then lines `a b c d`.  Other lines are
        skipped, with a warning that counts them.
        restrict_vocab: use only the first restrict_vocab words.
        case_insensitive: compare words in upper case.
        dummy4unknown: count questions with an unknown word as wrong instead of skipping them.
        similarity_function: must be "most_similar".
        Returns the accuracy in 0..1, and a dictionary per section; the last one is the total.
        For more detail, use fastw2v.evaluation.evaluate_analogies.
        Raises ReadError, or CorpusError if a question precedes the first section.
        """
        check_choice("similarity_function", similarity_function, ("most_similar",))
        file = TaskFile(analogies, strict=False)
        result = evaluate_analogies(
            self.index_to_key,
            self.vectors,
            file,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
        )
        _warn_of_malformed(file)
        sections = []
        for name, section in [
            *((section.name, section) for section in result.sections),
            ("Total accuracy", result.total),
        ]:
            wrong = section.incorrect + (section.skipped if dummy4unknown else [])
            sections.append({"section": name, "correct": section.correct, "incorrect": wrong})
        n_correct, n_wrong = len(sections[-1]["correct"]), len(sections[-1]["incorrect"])
        return n_correct / max(1, n_correct + n_wrong), sections

    def evaluate_word_pairs(
        self,
        pairs: Path,
        delimiter: str | None = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Correlation, Correlation, float]:
        """Return the correlations of cosines with human similarity scores, as gensim does.

        pairs: a file of lines `word word score`.  Other lines are skipped, with a warning that
        counts them.
        delimiter: the text between fields.  None: a tab if the line has one, else spaces.
        encoding: the encoding of the file.
        restrict_vocab: use only the first restrict_vocab words.
        case_insensitive: compare words in upper case.
        dummy4unknown: give pairs with an unknown word a cosine of 0 instead of skipping them.
        Returns Pearson's and Spearman's correlation, each with its p-value, and the percentage of
        pairs with an unknown word.
        Raises ReadError, or ValueError if no pair can be used.
        """
        file = TaskFile(pairs, encoding, delimiter, strict=False)
        result = evaluate_pairs(
            self.index_to_key,
            self.vectors,
            file,
            restrict_vocab=restrict_vocab,
            fold_case=case_insensitive,
            unknown_as_zero=dummy4unknown,
        )
        _warn_of_malformed(file)
        if result.n_pairs - (0 if dummy4unknown else result.n_skipped) == 0:
            raise ValueError(
                f"No valid similarity judgements found in {os.fspath(pairs)}: either invalid "
                f"format or all are out-of-vocabulary in {self}"
            )
        pearson = Correlation(result.pearson, result.pearson_p)
        spearman = Correlation(result.spearman, result.spearman_p)
        return pearson, spearman, 100 * (1 - result.coverage)

    # ---- gensim 3 names, which raise an error with the new name ----

    vocab = _Removed("key_to_index, index_to_key and get_vecattr(key, attr)")
    index2word = _Removed("index_to_key")
    index2entity = _Removed("index_to_key")
    vectors_norm = _Removed("get_normed_vectors()")
    syn0 = _Removed("vectors")
    syn0norm = _Removed("get_normed_vectors()")


def numbers_of(values: Any, name: str) -> NDArray[Any]:
    """Return values as an array of numbers.  Raises UsageError if they are none."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"{name} must be of numbers, got {shown(values)}")
    return array


def check_search(topn: int | None, restrict_vocab: int | None) -> int | None:
    """Return topn, at least 0.  Raises UsageError if one of the two is not an integer or None."""
    if topn is not None:
        check_integer("topn", topn, -MAX_ROWS, MAX_ROWS)
    if restrict_vocab is not None:
        check_integer("restrict_vocab", restrict_vocab, -MAX_ROWS, MAX_ROWS)
    return None if topn is None else max(topn, 0)


def _is_integer(word: str) -> bool:
    return word.isascii() and word.removeprefix("-").isdigit()


def _weighted(query: Query, weight: float) -> list[tuple[KeyOrVector, float]]:
    """Return (key or vector, weight) pairs; `weight` is the default."""
    if query is None:
        return []
    if isinstance(query, KEY_TYPES) or (isinstance(query, np.ndarray) and query.ndim == 1):
        return [(query, weight)]
    pairs = [
        item if isinstance(item, (tuple, list)) else (item, weight)
        for item in as_list(query, "positive and negative", "keys or vectors")
    ]
    for pair in pairs:
        if len(pair) != 2 or not isinstance(pair[0], (*KEY_TYPES, np.ndarray)):
            raise UsageError(
                f"positive and negative must be keys, vectors or pairs with a weight, "
                f"got {shown(pair)}"
            )
    return [(pair[0], check_finite("a weight", pair[1])) for pair in pairs]


def _warn_of_malformed(file: TaskFile) -> None:
    """Warn about skipped lines, if any."""
    if file.n_malformed:
        warnings.warn(
            f"{os.fspath(file.path)}: skipped {file.n_malformed} malformed lines", stacklevel=3
        )
