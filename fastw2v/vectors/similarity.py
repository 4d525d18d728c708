"""Comparing words and searching the nearest ones, with gensim 4's names and meanings."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastw2v.base.checks import check_integer
from fastw2v.errors import UsageError
from fastw2v.vectors.growing_table import GrowingTable
from fastw2v.vectors.index import VectorIndex
from fastw2v.vectors.search import (
    cosines,
    nearest_rows,
    row_norms,
    top_rows,
    unit_rows,
    unit_vector,
)
from fastw2v.vectors.table import KEY_TYPES, Key, KeyOrVector

# What most_similar takes: one key or vector, or several, each alone or with a weight.
Query = KeyOrVector | Sequence[KeyOrVector | tuple[KeyOrVector, float]] | None
# Words with their scores, best first, or the scores of all rows.
Similar = list[tuple[str, float]] | NDArray[Any]


class Indexer(Protocol):
    """What most_similar takes to search with, as gensim's AnnoyIndexer is."""

    def most_similar(self, vector: NDArray[Any], num_neighbors: int) -> list[tuple[str, float]]:
        """Return words with their scores, best first."""


class SimilarityTable(GrowingTable):
    """A table of vectors that can be compared and searched.

    Every search is exact, unless there is an `indexer`: it answers searches of all rows.
    """

    indexer: VectorIndex | None = None

    def _forget_norms(self) -> None:
        super()._forget_norms()
        if self.indexer is not None:
            self.indexer = None
            warnings.warn("the vectors changed; searches are exact until index()", stacklevel=4)

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
        """Return the words nearest to the mean of some vectors, the keys given left out.

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
        return scores if topn is None else self._nearest(scores, topn, keys, clip_start)

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
        scores = self._product(added, rows) / (self._product(taken, rows) + 0.000001)
        return scores if topn is None else self._nearest(scores, topn, [*added, *taken], 0)

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """Return the one of some keys that is nearest to key1."""
        return keys_list[int(np.argmax([self.similarity(key1, key) for key in keys_list]))]

    # ---- several words ----

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

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """Return all words that are closer to key1 than key2 is."""
        distances = self.distances(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[row] for row in closer if row != self.get_index(key1)]

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the place of key2 among all words by their distance from key1, from 1."""
        return len(self.closer_than(key1, key2)) + 1

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

    def _own_rows(self, keys: Sequence[KeyOrVector]) -> set[int]:
        """Return the rows of those of the keys that are no vectors."""
        return {self.get_index(key) for key in keys if isinstance(key, KEY_TYPES)}

    def _nearest(
        self, scores: NDArray[Any], topn: int, keys: Sequence[KeyOrVector], first_row: int
    ) -> list[tuple[str, float]]:
        """Return the topn best words by the scores of the rows from first_row on, less keys.

        Rows of zeros, or with values that are not finite, are not among them.
        """
        own_rows = self._own_rows(keys)
        scores[self.norms[first_row : first_row + len(scores)] == 0] = -np.inf
        best = top_rows(scores, topn + len(own_rows)).tolist()
        found = [
            (self.index_to_key[first_row + row], float(scores[row]))
            for row in best
            if first_row + row not in own_rows and scores[row] > -np.inf
        ]
        return found[:topn]

    def _product(self, keys: Sequence[KeyOrVector], rows: slice) -> NDArray[Any]:
        """Return for each of the rows the product over keys of cosines moved to 0..1."""
        product = np.ones(len(self.vectors[rows]), self.vectors.dtype)
        for key in keys:
            query = self.get_vector(key, norm=True) if isinstance(key, KEY_TYPES) else key
            product *= (1 + cosines(self.vectors[rows], self.norms[rows], query)) / 2
        return product


def _weighted(query: Query, weight: float) -> list[tuple[KeyOrVector, float]]:
    """Return the keys or vectors of a query, each with its own weight or the one given."""
    if query is None:
        return []
    if isinstance(query, KEY_TYPES) or (isinstance(query, np.ndarray) and query.ndim == 1):
        return [(query, weight)]
    return [
        (item[0], item[1]) if isinstance(item, (tuple, list)) else (item, weight) for item in query
    ]
