"""Turn provisional ids into the vocabulary and the final spool."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastw2v import _core
from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.corpus.spool import Spool, SpoolWriter, memory_columns, spool_bytes
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules, choose_words
from fastw2v.errors import CorpusError


class EncodedPiece(NamedTuple):
    """A stretch of the provisional spool: the counter that wrote it, and its size."""

    counter: int
    n_tokens: int
    n_ends: int
    n_words: int  # distinct words known to the counter after this piece


@dataclass(frozen=True)
class CountedCorpus:
    """The result of the single pass over a corpus.

    name: name of the corpus in errors.
    counts: (n_words,) int64, of all distinct words in order of first appearance.
    decode: returns the words at the given positions of counts.
    written, encoded_pieces: the provisional ids.
    word_numbers: for each counter, (n_ids,) int32, the position in counts of each of its
    provisional ids.
    n_too_long: words of more than MAX_WORD_BYTES, which were skipped.
    """

    name: str
    counts: Int64Array
    decode: Callable[[Int64Array], list[str]]
    written: SpoolWriter
    encoded_pieces: list[EncodedPiece]
    word_numbers: list[Int32Array]
    n_too_long: int = 0


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus ready for training, with an account of its tokens.

    n_tokens_read: spool.n_tokens + n_below_min_count.
    n_below_min_count: tokens of dropped words; for a given vocabulary, tokens outside it.
    n_sentences: sentences read that were not empty.
    n_bytes_read: bytes of text, after decompression.
    seconds: duration of reading and encoding.
    min_count: the effective value, raised if max_final_vocab requires it; 0 for a given
    vocabulary.
    n_too_long: words of more than MAX_WORD_BYTES, which were skipped and not counted as tokens.
    n_distinct: distinct words read.  n_distinct_kept: those that are in the vocabulary.
    """

    vocabulary: Vocabulary
    spool: Spool
    n_tokens_read: int
    n_below_min_count: int
    n_sentences: int
    n_bytes_read: int
    seconds: float
    min_count: int
    n_distinct: int
    n_distinct_kept: int
    n_too_long: int = 0


def encode(
    counted: CountedCorpus,
    rules: VocabularyRules,
    vocabulary: Vocabulary | None,
    n_bytes_read: int,
    started: float,
) -> EncodedCorpus:
    """Choose the vocabulary and rewrite the provisional ids; `counted` must not be used again.

    started: time.perf_counter() at the start of reading.
    Raises CorpusError if there are no words or none is kept; warns of words that were skipped.
    """
    skipped = _too_long(counted.n_too_long)
    n_read, n_sentences = counted.written.n_tokens, counted.written.n_sentences
    if n_read == 0:
        raise CorpusError(f"{counted.name} contains no words{skipped and '; ' + skipped}")
    if skipped:
        warnings.warn(f"{counted.name}: {skipped}", stacklevel=2)
    chosen = choose_words(counted, rules, vocabulary)
    n_kept = int(counted.counts[chosen.final_ids >= 0].sum())
    return EncodedCorpus(
        vocabulary=chosen.vocabulary,
        spool=_rewritten(counted, chosen.final_ids, n_kept),
        n_tokens_read=n_read,
        n_below_min_count=n_read - n_kept,
        n_sentences=n_sentences,
        n_bytes_read=n_bytes_read,
        seconds=time.perf_counter() - started,
        min_count=chosen.min_count,
        n_distinct=len(chosen.final_ids),
        n_distinct_kept=chosen.n_kept,
        n_too_long=counted.n_too_long,
    )


def _too_long(n_words: int) -> str:
    """Return what to say of words that were skipped, "" for none."""
    if n_words == 0:
        return ""
    words = "1 word" if n_words == 1 else f"{n_words:,} words"
    return (
        f"skipped {words} of more than {_core.MAX_WORD_BYTES:,} bytes; "
        "if this is text, separate its words by spaces"
    )


def fold_case(counted: CountedCorpus) -> CountedCorpus:
    """Merge words that differ only in case; this works per distinct word, not per token."""
    numbers: dict[str, int] = {}
    folded = np.fromiter(
        (
            numbers.setdefault(word.lower(), len(numbers))
            for word in counted.decode(np.arange(len(counted.counts)))
        ),
        np.int32,
        len(counted.counts),
    )
    counts = np.zeros(len(numbers), np.int64)
    np.add.at(counts, folded, counted.counts)
    words = list(numbers)
    return CountedCorpus(
        name=counted.name,
        counts=counts,
        decode=lambda ids: [words[i] for i in ids.tolist()],
        written=counted.written,
        encoded_pieces=counted.encoded_pieces,
        word_numbers=[folded[numbers] for numbers in counted.word_numbers],
        n_too_long=counted.n_too_long,
    )


def _rewritten(counted: CountedCorpus, final_ids: Int32Array, n_kept: int) -> Spool:
    """Replace provisional ids by final ones, piece by piece.

    This works in place, unless provisional ids are in files and the final ones fit in memory. Ids
    move only towards the start; no piece overwrites a later one.
    """
    old = counted.written.columns
    limit_bytes = counted.written.limit_bytes
    fits = spool_bytes(n_kept, counted.written.n_sentences) <= limit_bytes
    columns = memory_columns() if fits and not old.in_memory else old
    writer = SpoolWriter(limit_bytes, columns)
    new_ids = [final_ids[numbers] for numbers in counted.word_numbers]
    token = end = 0
    for encoded in counted.encoded_pieces:
        word_ids = old.word_ids.read(token, encoded.n_tokens)
        ends = old.ends.read(end, encoded.n_ends) - token
        buffer = _core.TokenBuffer(word_ids, ends, encoded.n_tokens, encoded.n_ends)
        _core.remap_ids(buffer, new_ids[encoded.counter])
        writer.append(word_ids[: buffer.n_ids], ends[: buffer.n_ends])
        token, end = token + encoded.n_tokens, end + encoded.n_ends
    if columns is not old:
        old.close()
    return writer.finish()


def corpus_name(names: Sequence[str]) -> str:
    """Return the name that errors give a corpus of these files."""
    more = f" and {len(names) - 3} more files" if len(names) > 3 else ""
    return f"corpus {', '.join(names[:3])}{more}"
