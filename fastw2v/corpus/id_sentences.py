"""Sentences given as integers in NumPy arrays: random walks, item ids, encoded text."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastw2v import _core
from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.corpus.encode import EncodedCorpus
from fastw2v.corpus.lexicon import plain_token
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, Spool, SpoolWriter
from fastw2v.corpus.vocabulary import (
    ChosenWords,
    CountedWords,
    Vocabulary,
    VocabularyRules,
    choose_words,
)
from fastw2v.errors import CorpusError, UsageError

PIECE_TOKENS = 1 << 20  # ids copied at a time when they are remapped
DENSE_IDS_PER_TOKEN = 4  # ids below this many times n_tokens are counted in a table, not sorted
MAX_ROWS = 2**31 - 1  # ids are int32


class IdSentences:
    """Sentences of integer ids, for Word2Vec to train on in place of token lists.

    ids: (n_tokens,) integers >= 0, with offsets; or, without offsets, (n_walks, length) integers,
    one walk per row.
    offsets: (n_sentences + 1,) integers, non-decreasing, from 0 to n_tokens. Sentence i is
    ids[offsets[i]:offsets[i + 1]].
    words: (n_ids,) str, the word of each id; by default its decimal digits.
    padding: for walks, the id that fills the end of shorter rows, such as -1.
    rows_by_id: row i of the vectors belongs to id i, whatever its count. No word is dropped:
    min_count must be 0 or 1, and an id that never occurs keeps its random row.
    Raises UsageError for arrays of other types or shapes, CorpusError for ids out of range.

    int32 ids and int64 offsets in C order are used without a copy if rows_by_id is set, or if ids
    are already in order of decreasing count. All other arrays are copied once.
    """

    def __init__(
        self,
        ids: npt.ArrayLike,
        offsets: npt.ArrayLike | None = None,
        *,
        words: Sequence[str] | None = None,
        padding: int | None = None,
        rows_by_id: bool = False,
    ) -> None:
        self.words, self.rows_by_id = words, rows_by_id
        array = _integers("ids", ids)
        if padding is not None and (offsets is not None or array.ndim != 2):
            raise UsageError("padding is for walks, (n_walks, length) ids without offsets")
        if offsets is None:
            self.ids, self.offsets = _from_walks(array, padding)
        else:
            self.ids, self.offsets = array, _checked_offsets(array, offsets)
        if len(self.ids):
            self._check_range(int(self.ids.min()), int(self.ids.max()))

    def __repr__(self) -> str:
        return f"IdSentences<{len(self.ids):,} ids in {len(self.offsets) - 1:,} sentences>"

    def _check_range(self, least: int, most: int) -> None:
        if least < 0:
            raise CorpusError(
                f"ids must be at least 0, got {least}; if it pads the ends of walks, "
                f"pass IdSentences(walks, padding={least})"
            )
        if self.words is not None and most >= len(self.words):
            raise CorpusError(
                f"ids must be below the number of words, {len(self.words)}, got {most}"
            )
        if self.rows_by_id and most >= MAX_ROWS:
            raise CorpusError(f"with rows_by_id, ids must be below {MAX_ROWS}, got {most}")

    def name(self, word_id: int) -> str:
        """Return the word of an id."""
        if self.words is None:
            return str(word_id)
        try:
            return plain_token(self.words[word_id])
        except TypeError as error:
            raise UsageError(f"words[{word_id}]: {error}") from None


def read_ids(
    sentences: IdSentences,
    *,
    rules: VocabularyRules,
    vocabulary: Vocabulary | None = None,
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES,
) -> EncodedCorpus:
    """Count ids, choose the vocabulary and encode the ids, in place if they do not change.

    Words of equal count are in the order of their ids.
    Returns an EncodedCorpus.
    Raises CorpusError if there are no words or none is kept, UsageError if the rules could drop
    words although rows_by_id is set.
    """
    started = time.perf_counter()
    if len(sentences.ids) == 0:
        raise CorpusError("the corpus contains no words")
    if sentences.rows_by_id:
        _check_rules(rules, vocabulary)
        counts = count_ids(sentences.ids, len(sentences.words or ()))
        names = [sentences.name(i) for i in range(len(counts))]
        seen = np.flatnonzero(counts).astype(np.int32)
        chosen = ChosenWords(Vocabulary(names, counts), seen, 0)
        return _encoded(chosen, _in_place(sentences.ids, sentences.offsets), sentences, started)
    numbered = number_ids(sentences.ids)
    counted = CountedWords(
        "the corpus",
        numbered.counts,
        lambda numbers: [sentences.name(int(numbered.distinct[i])) for i in numbers],
    )
    chosen = choose_words(counted, rules, vocabulary)
    table = numbered.table(chosen.final_ids)
    if np.array_equal(table, np.arange(len(table))):
        spool = _in_place(numbered.ids, sentences.offsets)
    else:
        spool = _mapped(numbered.ids, _without_empty(sentences.offsets), table, spool_limit_bytes)
    return _encoded(chosen, spool, sentences, started)


@dataclass(frozen=True)
class NumberedIds:
    """Ids that index a table, and their counts.

    ids: (n_tokens,).  distinct: (n_distinct,), the original ids in ascending order.
    numbers: (n_distinct,), their ids here.  counts: (n_distinct,) int64.
    """

    ids: npt.NDArray[np.integer[Any]]
    distinct: npt.NDArray[np.integer[Any]]
    numbers: npt.NDArray[np.integer[Any]]
    counts: Int64Array

    def table(self, final_ids: Int32Array) -> Int32Array:
        """Return the final id of each id here; -1 for dropped ids."""
        table = np.full(int(self.numbers[-1]) + 1, -1, np.int32)
        table[self.numbers] = final_ids
        return table


def number_ids(ids: npt.NDArray[np.integer[Any]]) -> NumberedIds:
    """Count ids >= 0; renumber them if they are sparse."""
    if int(ids.max()) < max(DENSE_IDS_PER_TOKEN * len(ids), PIECE_TOKENS):
        counts = count_ids(ids)
        distinct = np.flatnonzero(counts)
        return NumberedIds(ids, distinct, distinct, counts[distinct])
    distinct, numbers = np.unique(ids, return_inverse=True)
    counts = count_ids(numbers)
    return NumberedIds(numbers, distinct, np.arange(len(distinct)), counts)


def count_ids(ids: npt.NDArray[np.integer[Any]], n_least: int = 0) -> Int64Array:
    """Return the count of each id from 0 on, for at least n_least ids."""
    counts = np.zeros(max(int(ids.max()) + 1, n_least), np.int64)
    for first in range(0, len(ids), PIECE_TOKENS):
        _core.count_ids(_narrow(ids[first : first + PIECE_TOKENS]), counts)
    return counts


def _mapped(
    ids: npt.NDArray[np.integer[Any]], ends: Int64Array, table: Int32Array, limit_bytes: int
) -> Spool:
    """Return the ids mapped by `table`, without those it drops."""
    writer = SpoolWriter(limit_bytes)
    try:
        for first in range(0, len(ids), PIECE_TOKENS):
            word_ids = np.array(ids[first : first + PIECE_TOKENS], np.int32)
            begin, end = np.searchsorted(ends, [first, first + len(word_ids)], "right")
            inside = ends[begin:end] - first
            buffer = _core.TokenBuffer(word_ids, inside, len(word_ids), len(inside))
            _core.remap_ids(buffer, table)
            writer.append(word_ids[: buffer.n_ids], inside[: buffer.n_ends])
        return writer.finish()
    except BaseException:
        writer.close()
        raise


def _encoded(
    chosen: ChosenWords, spool: Spool, sentences: IdSentences, started: float
) -> EncodedCorpus:
    n_read = len(sentences.ids)
    return EncodedCorpus(
        vocabulary=chosen.vocabulary,
        spool=spool,
        n_tokens_read=n_read,
        n_below_min_count=n_read - spool.n_tokens,
        n_sentences=int(np.count_nonzero(np.diff(sentences.offsets))),
        n_bytes_read=0,
        seconds=time.perf_counter() - started,
        min_count=chosen.min_count,
        n_distinct=len(chosen.final_ids),
        n_distinct_kept=chosen.n_kept,
    )


def _in_place(ids: npt.NDArray[np.integer[Any]], offsets: Int64Array) -> Spool:
    """Return a spool of ids and offsets, which are copied only if their dtype differs."""
    ends = np.ascontiguousarray(_without_empty(offsets))
    return Spool.from_arrays(_narrow(ids), ends)


def _without_empty(offsets: Int64Array) -> Int64Array:
    """Return the ends of the sentences that are not empty."""
    lengths = np.diff(offsets)
    return offsets[1:] if lengths.all() else offsets[1:][lengths > 0]


def _narrow(ids: npt.NDArray[np.integer[Any]]) -> Int32Array:
    return np.ascontiguousarray(ids, np.int32)


def _integers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.integer[Any]]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        raise UsageError(f"{name} must be integers, got {array.dtype}")
    return array.astype(np.int64) if array.dtype.kind not in "iu" else array


def _from_walks(
    walks: npt.NDArray[np.integer[Any]], padding: int | None
) -> tuple[npt.NDArray[np.integer[Any]], Int64Array]:
    if walks.ndim != 2:
        raise UsageError(
            "ids without offsets must be walks of shape (n_walks, length), "
            f"got {walks.ndim} dimensions"
        )
    n_walks, length = walks.shape
    if padding is None:
        return walks.reshape(-1), np.arange(n_walks + 1, dtype=np.int64) * length
    is_walked = np.logical_and.accumulate(walks != padding, axis=1)
    offsets = np.concatenate([[0], np.cumsum(is_walked.sum(axis=1), dtype=np.int64)])
    return walks[is_walked], offsets


def _checked_offsets(ids: npt.NDArray[np.integer[Any]], offsets: npt.ArrayLike) -> Int64Array:
    array = _integers("offsets", offsets).astype(np.int64, copy=False)
    if ids.ndim != 1 or array.ndim != 1:
        raise UsageError(
            f"ids and offsets must have one dimension each, got {ids.ndim} and {array.ndim}"
        )
    if len(array) == 0 or array[0] != 0 or array[-1] != len(ids):
        ends = f"{array[0]} and {array[-1]}" if len(array) else "none"
        raise UsageError(
            f"offsets must begin with 0 and end with the number of ids, {len(ids)}, got {ends}"
        )
    if np.any(array[1:] < array[:-1]):
        raise UsageError("offsets must be non-decreasing")
    return array


def _check_rules(rules: VocabularyRules, vocabulary: Vocabulary | None) -> None:
    if vocabulary is not None or rules.base is not None:
        raise UsageError(
            "rows_by_id builds the vocabulary from all ids and cannot be combined with another one"
        )
    if rules.min_count > 1 or rules.max_final_vocab is not None or rules.trim_rule is not None:
        raise UsageError(
            f"rows_by_id keeps all ids: set min_count=1 (got {rules.min_count}) "
            "and leave out max_final_vocab and trim_rule"
        )
