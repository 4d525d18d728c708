"""Entry point for all kinds of training input; its type selects the reader."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastw2v.base.content import JSON_LINES, TABLES, table_kind
from fastw2v.corpus import scan
from fastw2v.corpus.arrow import count_arrow, count_parquet, has_pyarrow, is_arrow
from fastw2v.corpus.cells import CellCounter, as_lines
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
from fastw2v.corpus.sources import PARQUET, Paths, Source, find_sources
from fastw2v.corpus.text_tables import cells_of_files
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
        return _read_cells(cells_of_rows(sentences, reading.column), reading)
    if reading.tokenizer is not None:
        check_iterable(sentences)
        return _read_cells(iter(sentences), reading)
    return read_token_lists(sentences, **reading.common())


def read_text(
    paths: Paths,
    *,
    threads: int = 1,
    column: str | None = None,
    allow_binary: bool = False,
    **how: Any,
) -> EncodedCorpus:
    """Count and encode text or tables in files in one pass; see scan.read_text.

    column: column of Parquet, JSON lines, CSV or TSV files, see read_sentences; optional for
    Parquet files of only one.
    allow_binary: read files that are not text, and NUL bytes in text.
    how: the other fields of Reading.
    Raises UsageError if text and tables are mixed, and the errors of scan.read_text.
    """
    if threads < 1:
        raise UsageError(f"threads must be at least 1, got {threads}")
    sources = find_sources(paths)
    if allow_binary:
        sources = [replace(source, allow_binary=True) for source in sources]
    is_parquet = [source.compression == PARQUET for source in sources]
    if not any(is_parquet):
        if column is not None:
            return _read_tables(sources, Reading(column=column, **how))
        for source in sources:
            if table_kind(source.path) == JSON_LINES:
                raise UsageError(f"{source.name} holds JSON: set column to the key of its texts")
        return scan.read_text(sources, threads=threads, **how)
    if not all(is_parquet):
        text = sources[is_parquet.index(False)].name
        raise UsageError(f"text and Parquet cannot be mixed, but {text} is not a Parquet file")
    name = corpus_name([source.name for source in sources])
    return Reading(column=column, **how).count(
        lambda counter: count_parquet(sources, column, counter), name
    )


def _read_cells(cells: Iterator[Any], reading: Reading) -> EncodedCorpus:
    """Count and encode cells: texts, or lists of tokens; None is an empty one."""
    is_text, cells = with_first_cell(cells)
    if is_text:
        return reading.count(lambda counter: count_texts(cells, counter))
    return _read_lists(cells, reading)


def _read_lists(cells: Iterator[Any], reading: Reading) -> EncodedCorpus:
    return read_token_lists(([] if cell is None else cell for cell in cells), **reading.common())


def _read_tables(sources: list[Source], reading: Reading) -> EncodedCorpus:
    """Count and encode a column of JSON lines, CSV or TSV files."""
    assert reading.column is not None
    for source in sources:
        if not (table_kind(source.path) or source.n_bytes is None):  # a pipe has no name
            raise UsageError(
                f"column is for Parquet files and {', '.join(TABLES)}, but {source.name} is none "
                "of them"
            )
    stop = threading.Event()
    is_text, cells = with_first_cell(cells_of_files(sources, reading.column, stop))
    if not is_text:
        return _read_lists(cells, reading)

    def count(counter: CellCounter) -> None:
        ahead = scan.ReadAhead(as_lines(cells), stop, "fastw2v-reader")
        try:
            for text in ahead:
                counter.add_text(text)
        finally:
            stop.set()
            ahead.join()

    return reading.count(count, corpus_name([source.name for source in sources]))


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
