"""Trained vectors to look up, compare, search, evaluate, load and save, with gensim 4's names."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastw2v.base.checks import check_choice, check_integer
from fastw2v.errors import UsageError
from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
from fastw2v.formats import WordVectors, native, read_vectors
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
KEY_TYPES = (str, int, np.integer)  # isinstance needs the classes behind Key
KeyOrVector = Key | NDArray[Any]
# What most_similar takes: one key or vector, or several, each alone or with a weight.
Query = KeyOrVector | Sequence[KeyOrVector | tuple[KeyOrVector, float]] | None
# Words with their scores, best first, or the scores of all rows.
Similar = list[tuple[str, float]] | NDArray[Any]
Vectors = TypeVar("Vectors", bound="KeyedVectors")


class Correlation(NamedTuple):
    """A correlation and its two-sided p-value."""

    statistic: float
    pvalue: float


class _Removed:
    """An attribute of gensim 3 that gensim 4 removed: reading it says what to use instead."""

    def __init__(self, instead: str) -> None:
        self.instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{self.name} went with gensim 4; use {self.instead}")


class KeyedVectors:
    """Word vectors, with the names and meanings of gensim 4's KeyedVectors.

    vector_size: values per vector, at least 1.  count: rows to reserve for add_vector.
    dtype: a float type.  mapfile_path: accepted for gensim, without effect.

    Attributes, which can all be assigned:
    index_to_key: the key of each row, most frequent first where counts are known.
    key_to_index: the row of each key.
    vectors: (n_words, vector_size) floats, held without a copy; rows may be padded, or mapped
    read-only from a file.  After changing them in place, call fill_norms(force=True).
    norms: (n_words,) lengths of the vectors, computed when first needed.
    expandos: attributes of the words by name, such as "count", (n_words,) each.
    next_index: the next reserved row that add_vector fills.
    indexer: what index() built; it answers searches of all rows.  None: every search is exact.
    vectors_lockf: of a model's wv, (n_words,) or (1,): 0 for vectors that training must not
    change, 1 for the others.  None: training may change all.
    """

    indexer: VectorIndex | None = None
    vectors_lockf: NDArray[np.floating[Any]] | None = None
    damage: str = ""  # why the vectors of a diverged model are not worth saving
    _file: Path | None = None  # index() looks for an index beside this file
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
        cls: type[Vectors],
        words: Sequence[Any],
        vectors: NDArray[Any],
        counts: NDArray[np.int64] | None = None,
    ) -> Vectors:
        """Return vectors that share these arrays.

        words: n_words different strings.  vectors: (n_words, dim) floats.
        counts: (n_words,) int64, or None where they are not known.
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
        """Return the words, vectors and counts of a WordVectors, sharing its arrays."""
        return cls.from_arrays(word_vectors.words, word_vectors.vectors, word_vectors.counts)

    def to_word_vectors(self) -> WordVectors:
        """Return words, vectors and counts for a format to write; other floats become float32.

        Raises UsageError for a key that is not a string.
        """
        odd = next((key for key in self.index_to_key if not isinstance(key, str)), "")
        if odd != "":
            raise UsageError(f"a file holds words only, and {odd!r} is a key; make it a string")
        vectors = self.vectors.astype(np.float32, copy=False)
        return WordVectors(self.index_to_key, vectors, self.counts, damage=self.damage)

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
        """Drop the norms and the index, which belong to vectors that have changed."""
        self._norms = None
        if self.indexer is not None:
            self.indexer = None
            warnings.warn("the vectors changed; searches are exact until index()", stacklevel=4)

    def get_normed_vectors(self) -> NDArray[Any]:
        """Return a copy of all vectors, (n_words, dim), scaled to length 1."""
        return divide_rows(self.vectors, self.norms)

    def unit_normalize_all(self) -> None:
        """Scale all vectors to length 1, in place, for good; rows of zeros stay as they are."""
        self.vectors[:] = divide_rows(self.vectors, self.norms)
        self._forget_norms()

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

    def vectors_for_all(
        self: Vectors,
        keys: Iterable[Key],
        allow_inference: bool = True,
        copy_vecattrs: bool = False,
    ) -> Vectors:
        """Return the vectors of those of the keys that have one, each once, in their order.

        allow_inference: accept row numbers too, as `in` does.
        copy_vecattrs: copy the attributes of the words.
        """
        known = self if allow_inference else self.key_to_index
        found = [key for key in dict.fromkeys(keys) if key in known]
        rows = self._rows_of(found)
        part = type(self).from_arrays(found, self.vectors[rows])
        if copy_vecattrs:
            part.expandos = {name: column[rows] for name, column in self.expandos.items()}
        return part

    def _rows_of(self, keys: Iterable[Key]) -> NDArray[np.int64]:
        """Return the (n,) rows of several keys; raise KeyError for the first unknown one."""
        return np.array([self.get_index(key) for key in keys], np.int64)

    # ---- adding words ----

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one word, in a reserved row if there is one, and return its row.

        A known word keeps its vector.  To add many words, add_vectors copies the vectors once.
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
        replace: known words get the new vector, and of equal words in keys the last one counts;
        else known words keep theirs, and the first one counts.
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
        """Add words with their vectors; known words get the new vector."""
        self.add_vectors(keys, weights, replace=True)

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
        """Make room for attributes of these types, or for the known ones, one value per word.

        Raises TypeError if an attribute has another type already.
        """
        if attrs is None or types is None:
            attrs = list(self.expandos)
            types = [self.expandos[attr].dtype for attr in attrs]
        allocate_columns(self.expandos, len(self), zip(attrs, types, strict=True))

    # ---- comparing words ----

    def similarity(self, w1: Key, w2: Key) -> float:
        """Return the cosine of two keys' vectors."""
        return float(self.get_vector(w1, norm=True) @ self.get_vector(w2, norm=True))

    def distance(self, w1: Key, w2: Key) -> float:
        """Return 1 - similarity."""
        return 1 - self.similarity(w1, w2)

    def distances(
        self, word_or_vector: KeyOrVector, other_words: Iterable[Key] | None = ()
    ) -> NDArray[Any]:
        """Return 1 - cosine of a key or vector with each of other_words, or with all words."""
        query = word_or_vector
        if isinstance(query, KEY_TYPES):
            query = self.get_vector(query)
        others = [] if other_words is None else list(other_words)
        if others:
            return 1 - self.cosine_similarities(query, self[others])
        return 1 - cosines(self.vectors, self.norms, unit_vector(query))

    @staticmethod
    def cosine_similarities(vector_1: NDArray[Any], vectors_all: NDArray[Any]) -> NDArray[Any]:
        """Return the (n,) cosines of a (dim,) vector with (n, dim) others; 0 for zeros."""
        return cosines(vectors_all, row_norms(vectors_all), unit_vector(vector_1))

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key]) -> float:
        """Return the cosine of the mean vectors of two lists of keys."""
        if not (len(ws1) and len(ws2)):
            raise ZeroDivisionError("At least one of the passed list is empty.")
        mean1, mean2 = (self.get_mean_vector(keys, pre_normalize=False) for keys in (ws1, ws2))
        return float(unit_vector(mean1) @ unit_vector(mean2))

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """Return the one of some keys that is nearest to key1."""
        return keys_list[int(np.argmax([self.similarity(key1, key) for key in keys_list]))]

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """Return all words that are closer to key1 than key2 is."""
        distances = self.distances(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[row] for row in closer if row != self.get_index(key1)]

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the rank of key2 among all words by their distance from key1, from 1."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(
        self, words: Iterable[Key], use_norm: bool = True
    ) -> list[tuple[float, Key]]:
        """Return the words with their cosine to the mean of all, the nearest first.

        use_norm: scale the vectors to length 1 first.  Words without a vector are left out.
        Raises ValueError if none has one.
        """
        known = [word for word in words if word in self]
        if not known:
            raise ValueError("cannot select a word from an empty list")
        vectors = np.stack([self.get_vector(word, norm=use_norm) for word in known])
        scores = vectors @ unit_vector(vectors.mean(axis=0))
        return sorted(zip(scores.tolist(), known, strict=True), reverse=True)

    def doesnt_match(self, words: Iterable[Key]) -> Key:
        """Return the word farthest from the mean of all; those without a vector are left out."""
        return self.rank_by_centrality(words)[-1][1]

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """Return the cosine of two words over the sum of those of wa's topn neighbours.

        Reference: Leeuwenberg et al. 2016, "A Minimally Supervised Approach for Synonym
        Extraction with Word Embeddings", equation 1.  Raises ValueError if topn is 0.
        """
        near = self.similar_by_key(wa, topn)
        if not len(near):
            raise ValueError(
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
        """Return the words nearest to the mean of some vectors, without the keys given.

        positive, negative: keys or vectors, of weight 1 and -1 unless paired with another.
        topn: how many (word, cosine) pairs, best first; None: the cosines of all rows searched.
        clip_start, clip_end: the rows searched; restrict_vocab: instead, the first so many.
        indexer: searches instead, and returns what it finds, the keys given too, as in gensim.
        Raises KeyError for an unknown key, ValueError without any.
        """
        if topn is not None and topn < 1:
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
        """Return the words nearest to a key; topn and restrict_vocab as for most_similar."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_word(
        self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Similar:
        """Return what similar_by_key does."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Similar:
        """Return the words nearest to a (dim,) vector; the rest as for most_similar."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_batch(
        self,
        queries: Sequence[Key] | NDArray[Any],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[list[tuple[str, float]]]:
        """Return for each of many queries what most_similar does; see nearest."""
        return self._named(*self.nearest(queries, topn, restrict_vocab))

    def nearest(
        self,
        queries: Sequence[Key] | NDArray[Any],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the rows nearest to each of many queries, and their cosines, best first.

        queries: n words, each left out of its own answer, or an (n, dim) matrix, or n vectors.
        topn: rows a query, at least 1.  restrict_vocab: search the first so many rows.
        Returns (n, topn) int64 rows and floats; -1 and -inf where no row is left.
        Many times faster than one query after the other: products of matrices, not of vectors.
        Raises KeyError for an unknown word, UsageError for a matrix of another shape.
        """
        check_integer("topn", topn, 1)
        barred = None
        if isinstance(queries, str):
            raise UsageError(f"queries must be a list of words or a matrix, got {queries!r}")
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
        """Return the words that score highest when cosines are multiplied, not added.

        Parameters as for most_similar, without weights.
        Reference: Levy and Goldberg 2014 (W14-1618), equation 4.
        """
        if topn is not None and topn < 1:
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
        """Put an index behind most_similar and the other searches of all words, and return it.

        An index finds most of the nearest words, not always all; the cosines are exact.  It is
        read from the file that save() wrote beside the vectors' own, if that file fits, or built.
        Parameters: see IndexSettings.  wv.indexer = None goes back to exact search.
        Needs the extra `index` (usearch); raises UsageError without it.
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
        """Return what nearest does, for (n, dim) queries of length 1, by the index if it can."""
        if self.indexer is not None and not restrict_vocab:
            return self.indexer.nearest(queries, topn, barred)
        n_rows = restrict_vocab or len(self)
        return nearest_rows(self.vectors[:n_rows], self.norms[:n_rows], queries, topn, barred)

    def _named(
        self, rows: NDArray[np.int64], scores: NDArray[Any]
    ) -> list[list[tuple[str, float]]]:
        """Return (n, topn) rows and scores as words and scores."""
        return [
            [(self.index_to_key[row], score) for row, score in zip(*found, strict=True) if row >= 0]
            for found in zip(rows.tolist(), scores.tolist(), strict=True)
        ]

    def _best_words(
        self, scores: NDArray[Any], topn: int, keys: Sequence[KeyOrVector], first_row: int
    ) -> list[tuple[str, float]]:
        """Return the topn best words by the scores of the rows from first_row on, without keys."""
        norms = self.norms[first_row : first_row + len(scores)]
        own_rows = {row - first_row for row in self._own_rows(keys)}
        best = best_rows(scores, norms, topn, own_rows)
        return [(self.index_to_key[first_row + row], float(scores[row])) for row in best]

    def _own_rows(self, keys: Sequence[KeyOrVector]) -> set[int]:
        """Return the rows of those of the keys that are no vectors."""
        return {self.get_index(key) for key in keys if isinstance(key, KEY_TYPES)}

    def _unit_queries(self, keys: Sequence[KeyOrVector]) -> list[NDArray[Any]]:
        """Return the vectors of keys, scaled to length 1; vectors are taken as they are."""
        return [
            self.get_vector(key, norm=True) if isinstance(key, KEY_TYPES) else key for key in keys
        ]

    # ---- files ----

    @classmethod
    def read(
        cls,
        path: Path,
        format: str | None = None,
        mmap: bool = False,
        limit: int | None = None,
    ) -> "KeyedVectors":
        """Read a vectors file of any format; see formats.read_vectors."""
        found = cls.from_word_vectors(read_vectors(path, format, mmap, limit))
        found._file = path
        return found

    @classmethod
    def load(cls, fname: Path, mmap: bool | str | None = False) -> "KeyedVectors":
        """Read a native file, without the output side of a model.

        mmap: map the vectors read-only instead of reading them; gensim's 'r' does too.
        Raises ReadError, or ModelFormatError naming what is wrong in the file.
        """
        found = cls.from_word_vectors(native.read(fname, mmap=bool(mmap), with_output=False))
        found._file = fname
        return found

    def save(self, fname: Path, *, allow_non_finite: bool = False) -> None:
        """Write words, vectors and counts to one native file, and the index, if any, beside it.

        Raises SaveError if that fails, DivergedError if a value is not finite and none may be so.
        """
        found = self.to_word_vectors()
        if not allow_non_finite:
            found.check_finite(fname)
        native.write(fname, found)
        self.save_index(fname)

    def save_index(self, fname: Path) -> None:
        """Write the index, if there is one, to `fname`.usearch, beside a model in `fname`."""
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
        """Write the vectors as word2vec.c does.

        fvocab: also write lines `word count` there.  total_vec: the number of words that the
        header tells, if more are to be appended.  write_header: a file may go without.
        prefix: written before each word.  append: to the end of the file.
        sort_attr: words with more of it come first; where it is not known, rows keep their order.
        Raises SaveError, UsageError for an impossible request, DivergedError as save does.
        """
        column = self.expandos.get(sort_attr)
        if fvocab is not None and column is None:
            raise UsageError(
                f"cannot write {os.fspath(fvocab)}: no {sort_attr}s are known of these vectors"
            )
        words = [str(key) for key in self.index_to_key]
        vectors = self.vectors.astype(np.float32, copy=False)
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
    ) -> "KeyedVectors":
        """Read vectors in the formats of word2vec.c, compressed or not.

        fvocab: a file of `word count` lines, for get_vecattr(word, 'count'); without it no
        counts are known.  unicode_errors: by default any bytes survive, where gensim stops.
        limit: rows to read at most.  datatype: the vectors' type.  no_header: GloVe's text.
        Raises ReadError, or ModelFormatError naming the line or byte.
        """
        reading = Reading(binary, encoding, unicode_errors, limit, no_header)
        found = reading.read(fname)
        counts = None if fvocab is None else reading.counts(found.words, fvocab)
        return cls.from_arrays(found.words, found.vectors.astype(datatype, copy=False), counts)

    def intersect_word2vec_format(
        self,
        fname: Path,
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "surrogateescape",
    ) -> int:
        """Replace the vectors of the words that a file holds too; return their number.

        The rows are changed in place, and training of a model continues from them.
        lockf: the value of vectors_lockf for these words: 0 to hold them, 1 to train them.
        The rest as for load_word2vec_format.
        Raises ReadError, ModelFormatError, or UsageError for vectors of another size.
        """
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
        held = np.ones(1, np.float32) if self.vectors_lockf is None else self.vectors_lockf
        self.vectors_lockf = np.array(np.broadcast_to(held, len(self)))
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
        """Return the accuracy on a file of analogy questions, and the sections, as gensim does.

        The last section is the total; evaluation.evaluate_analogies returns more.
        dummy4unknown: count questions with an unknown word as wrong instead of leaving them out.
        similarity_function: most_similar, the only one.  Lines without 4 words are left out, with
        a warning that counts them.
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
        """Return Pearson's and Spearman's correlation with people's scores, each with its p-value,
        and the percentage of pairs with an unknown word, as gensim does.

        Lines that are not `word word score` are left out, with a warning that counts them.
        Raises ReadError, or ValueError if no pair is left.
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

    # ---- names of gensim 3, for scripts that still use them ----

    vocab = _Removed("key_to_index, index_to_key and get_vecattr(key, attr)")
    index2word = _Removed("index_to_key")
    index2entity = _Removed("index_to_key")
    vectors_norm = _Removed("get_normed_vectors()")
    syn0 = _Removed("vectors")
    syn0norm = _Removed("get_normed_vectors()")


def _weighted(query: Query, weight: float) -> list[tuple[KeyOrVector, float]]:
    """Return the keys or vectors of a query, each with its own weight or the one given."""
    if query is None:
        return []
    if isinstance(query, KEY_TYPES) or (isinstance(query, np.ndarray) and query.ndim == 1):
        return [(query, weight)]
    return [
        (item[0], item[1]) if isinstance(item, (tuple, list)) else (item, weight) for item in query
    ]


def _warn_of_malformed(file: TaskFile) -> None:
    """Warn of lines that were left out, if any were."""
    if file.n_malformed:
        warnings.warn(
            f"{os.fspath(file.path)}: left out {file.n_malformed} malformed lines", stacklevel=3
        )
