"""Entry point for all kinds of training input; its type selects the reader."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastw2v.corpus import scan
from fastw2v.corpus.arrow import count_arrow, count_parquet, has_pyarrow, is_arrow
from fastw2v.corpus.encode import EncodedCorpus, corpus_name
from fastw2v.corpus.id_sentences import IdSentences, read_ids
from fastw2v.corpus.pairs import Pairs, read_pairs
from fastw2v.corpus.reading import Reading
from fastw2v.corpus.rows import (
    cells_of_rows,
    count_dataset,
    count_texts,
    is_dataset,
    with_first_cell,
)
from fastw2v.corpus.sentences import check_iterable, read_token_lists
from fastw2v.corpus.sources import PARQUET, Paths, find_sources
from fastw2v.errors import CorpusError, UsageError

Sentences = Iterable[Iterable[Any]] | IdSentences | Pairs | Any  # tables: known by their methods


def read_sentences(sentences: Sentences, **how: Any) -> EncodedCorpus:
    """Count and encode the `sentences` argument of Word2Vec in one pass.

    sentences: one of
    - token lists, see read_token_lists, or, with a tokenizer, texts;
    - IdSentences, or a NumPy array of (n_walks, length) integers;
    - Pairs;
    - an object with __arrow_c_stream__ or __arrow_c_array__ (polars, pyarrow, pandas, DuckDB),
      which requires pyarrow;
    - a Hugging Face dataset;
    - rows that are mappings.
    The column of a table, dataset or mapping holds lists of strings or integers, or texts.
    how: the fields of Reading.
    Returns an EncodedCorpus; close its spool after use.
    Raises the errors of read_token_lists, UsageError if the column does not exist, and
    MissingPackageError if pyarrow is not installed.
    """
    reading = Reading(**how)
    if isinstance(sentences, np.ndarray) and sentences.ndim == 2 and sentences.dtype.kind in "iu":
        sentences = IdSentences(sentences)
    if isinstance(sentences, IdSentences | Pairs):
        return _read_arrays(sentences, reading)
    if is_dataset(sentences):
        return reading.count(lambda counter: count_dataset(sentences, reading.column, counter))
    if is_arrow(sentences) and not _iterates_as_well(sentences, reading):
        return reading.count(lambda counter: count_arrow(sentences, reading.column, counter))
    if isinstance(sentences, Mapping):
        names = ", ".join(map(repr, sentences))
        raise CorpusError(f"sentences is a mapping with keys {names}; pass one of its values")
    if reading.column is not None:
        is_text, cells = with_first_cell(cells_of_rows(sentences, reading.column))
    elif reading.tokenizer is not None:
        check_iterable(sentences)
        is_text, cells = with_first_cell(iter(sentences))
    else:
        return read_token_lists(sentences, **reading.common())
    if is_text:
        return reading.count(lambda counter: count_texts(cells, counter))
    return read_token_lists(([] if cell is None else cell for cell in cells), **reading.common())


def read_text(
    paths: Paths,
    *,
    threads: int = 1,
    column: str | None = None,
    allow_binary: bool = False,
    **how: Any,
) -> EncodedCorpus:
    """Count and encode text or Parquet files in one pass; see scan.read_text.

    column: column of Parquet files, see read_sentences; optional if there is only one.
    allow_binary: read files that are not text, and NUL bytes in text.
    how: the other fields of Reading.
    Raises UsageError if text and Parquet files are mixed, and the errors of scan.read_text.
    """
    if threads < 1:
        raise UsageError(f"threads must be at least 1, got {threads}")
    sources = find_sources(paths)
    if allow_binary:
        sources = [replace(source, allow_binary=True) for source in sources]
    is_parquet = [source.compression == PARQUET for source in sources]
    if not any(is_parquet):
        if column is not None:
            raise UsageError(f"column is for Parquet files, but {sources[0].name} is not one")
        return scan.read_text(sources, threads=threads, **how)
    if not all(is_parquet):
        text = sources[is_parquet.index(False)].name
        raise UsageError(f"text and Parquet cannot be mixed, but {text} is not a Parquet file")
    name = corpus_name([source.name for source in sources])
    return Reading(column=column, **how).count(
        lambda counter: count_parquet(sources, column, counter), name
    )


def _read_arrays(sentences: IdSentences | Pairs, reading: Reading) -> EncodedCorpus:
    rules, vocabulary = reading.rules, reading.vocabulary
    if isinstance(sentences, Pairs):
        corpus = read_pairs(sentences, rules=rules, vocabulary=vocabulary)
    else:
        corpus = read_ids(
            sentences,
            rules=rules,
            vocabulary=vocabulary,
            spool_limit_bytes=reading.spool_limit_bytes,
        )
    reading.tell(corpus.n_tokens_read)
    return corpus


def _iterates_as_well(sentences: Any, reading: Reading) -> bool:
    """Return whether pyarrow is missing and the Arrow data is a column that can be iterated."""
    is_table = hasattr(sentences, "columns") or not isinstance(sentences, Iterable)
    return not (is_table or reading.column or has_pyarrow())
