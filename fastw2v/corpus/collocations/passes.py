"""Rewrite a corpus with its phrases joined, in one or more passes."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastw2v import _core
from fastw2v.base.atomic import check_writable
from fastw2v.base.checks import check_integer
from fastw2v.base.compression import write_packed
from fastw2v.base.threads import usable_cores
from fastw2v.corpus import Spool, VocabularyRules, read_text
from fastw2v.corpus.collocations.counting import PairCounter, token_stretches
from fastw2v.corpus.collocations.merging import Merger
from fastw2v.corpus.collocations.scoring import FoundPhrase, PhraseRules, find_phrases, least_count
from fastw2v.corpus.sources import Paths
from fastw2v.corpus.tokenizers import AnyTokenizer
from fastw2v.errors import UsageError

SPOOL_LIMIT_BYTES = 256 << 20  # two spools at a time; the table of pairs takes as much memory
MAX_THREADS = 8  # each thread reads all ids, and more threads gain nothing


@dataclass(frozen=True)
class PassReport:
    """The result of one pass.

    found: phrases, highest score first.  n_tokens_before, n_tokens_after: tokens in the corpus.
    n_joined: occurrences of phrases in the corpus.  seconds: duration; for the last pass,
    including writing.
    """

    found: list[FoundPhrase]
    n_tokens_before: int
    n_tokens_after: int
    n_joined: int
    seconds: float


def choose_threads(workers: int | None) -> int:
    """Return the number of counting threads: workers, or one per core; at most MAX_THREADS."""
    if workers is None:
        return min(usable_cores(), MAX_THREADS)
    check_integer("workers", workers, 1)
    return min(workers, MAX_THREADS)


def connector_flags(words: Sequence[str], connectors: frozenset[str]) -> NDArray[np.uint8]:
    """Return (n_words,) uint8, 1 for each connector word."""
    return np.fromiter((word in connectors for word in words), np.uint8, len(words))


def join_phrases(
    corpus: Paths,
    output: str | os.PathLike[str],
    rules: Sequence[PhraseRules],
    workers: int | None = None,
    *,
    allow_binary: bool = False,
    tokenizer: AnyTokenizer | None = None,
) -> list[PassReport]:
    """Rewrite text with one token per phrase, in one pass per element of rules.

    corpus: paths, as read_text accepts them.
    output: text file to write, with one sentence per line, tokens separated by a space and no
    blank lines. It may be one of the corpus files.
    workers: number of threads; None for one per core.
    allow_binary, tokenizer: as in read_text.
    Returns the report of each pass.
    Raises ReadError, CorpusError, SaveError, UsageError.
    """
    for rule in rules:
        if any(character.isspace() for character in rule.delimiter):
            raise UsageError(f"delimiter must not contain white space, got {rule.delimiter!r}")
    if os.fspath(output) == "-":
        raise UsageError("output must be a file; - means standard input only")
    if not rules:
        raise UsageError("rules must contain at least one pass, got none")
    check_writable(output)
    n_threads = choose_threads(workers)
    read = read_text(
        corpus,
        rules=VocabularyRules(min_count=1),
        threads=n_threads,
        spool_limit_bytes=SPOOL_LIMIT_BYTES,
        allow_binary=allow_binary,
        tokenizer=tokenizer,
    )
    words, counts, spool = read.vocabulary.words, read.vocabulary.counts, read.spool
    reports = []
    try:
        for number, rule in enumerate(rules, 1):
            started = time.perf_counter()
            before = spool
            flags = connector_flags(words, rule.connector_words)
            found, merger = _find(rule, words, counts, before, (flags, n_threads))
            if number < len(rules):
                spool, n_joined = merger.merge(before, flags, SPOOL_LIMIT_BYTES)
                before.close()
                counts, n_after = _counted(spool, len(words)), spool.n_tokens
            else:
                with write_packed(output) as file:
                    n_after, n_joined = merger.write(file, before, flags, n_threads)
            seconds = time.perf_counter() - started
            reports.append(PassReport(found, before.n_tokens, n_after, n_joined, seconds))
    finally:
        spool.close()
    return reports


def _find(
    rules: PhraseRules,
    words: list[str],
    counts: NDArray[np.int64],
    spool: Spool,
    how: tuple[NDArray[np.uint8], int],
) -> tuple[list[FoundPhrase], Merger]:
    """Return the phrases, highest score first, and their Merger.

    words: new phrases are appended.  how: connector flags and number of threads.
    """
    flags, n_threads = how
    counter = PairCounter(n_threads)
    counter.count(spool, flags)
    pairs = counter.result(flags, least_count(rules, words))
    del counter
    found = find_phrases(rules, words, counts, pairs)
    merger = Merger(words, found, pairs)
    return sorted(found, key=lambda phrase: (-phrase.score, phrase.text)), merger


def _counted(spool: Spool, n_words: int) -> NDArray[np.int64]:
    counts = np.zeros(n_words, np.int64)
    for ids, _ in token_stretches(spool):
        _core.count_ids(ids, counts)
    return counts
