"""Read a corpus from files: count and encode in parallel, in one pass."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import numpy as np

from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.base.threads import run_threads
from fastw2v.corpus import blocks
from fastw2v.corpus.blocks import Block, BlockFeed, Scratch
from fastw2v.corpus.encode import (
    CountedCorpus,
    EncodedCorpus,
    Piece,
    corpus_name,
    encode,
    fold_case,
)
from fastw2v.corpus.lexicon import Lexicon
from fastw2v.corpus.line_lexicon import LineLexicon
from fastw2v.corpus.sentences import PROGRESS_SECONDS, Progress
from fastw2v.corpus.sources import Paths, Source, Stopped, find_sources
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, SpoolWriter
from fastw2v.corpus.token_lexicon import TokenLexicon
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules

Tokenizer = Callable[[str], list[str]]


class Counter(Protocol):
    """What counts the text of one thread: a Lexicon or a LineLexicon."""

    @property
    def n_words(self) -> int:
        """How many distinct words there are."""

    def encode(self, text: bytes | memoryview) -> tuple[Int32Array, Int64Array]:
        """Count a block; return word ids, and the tokens before each sentence's end."""


class ScanStop(threading.Event):
    """Ends a scan, and the waits of its threads for their turn."""

    def __init__(self, turn: threading.Condition) -> None:
        super().__init__()
        self._turn = turn

    def set(self) -> None:
        """Stop."""
        super().set()
        with self._turn:
            self._turn.notify_all()


class Scan:
    """One pass over some sources, and what its threads share."""

    def __init__(self, sources: list[Source], writer: SpoolWriter) -> None:
        self.sources = sources
        self.writer = writer
        self.pieces: list[Piece] = []
        self.n_text_bytes = 0
        self._n_raw_bytes = 0
        sizes = [source.n_bytes for source in sources]
        self._total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self._turn = threading.Condition()  # guards all of the above but stop
        self.stop = ScanStop(self._turn)

    def run(self, counters: Sequence[Counter], feed: BlockFeed, progress: Progress | None) -> None:
        """Count all blocks, a thread for each counter; the first error of any is raised here."""
        bodies = [partial(self._work, i, counter, feed) for i, counter in enumerate(counters)]

        def tick() -> None:
            if progress:
                progress(self._n_raw_bytes, self._total_bytes, self.writer.n_tokens)

        try:
            run_threads(bodies, self.stop, tick, PROGRESS_SECONDS, "fastw2v-count")
        finally:
            feed.close()
        tick()

    @property
    def name(self) -> str:
        """What errors call the corpus."""
        return corpus_name([source.name for source in self.sources])

    def _work(self, number: int, counter: Counter, feed: BlockFeed) -> None:
        scratch = Scratch()
        with suppress(Stopped):
            while not self.stop.is_set() and (taken := feed.take()):
                position, block = taken
                word_ids, ends = counter.encode(block.load(scratch))
                self._append(position, block, word_ids, ends, number, counter.n_words)

    def _append(
        self,
        position: int,
        block: Block,
        word_ids: Int32Array,
        ends: Int64Array,
        counter: int,
        n_words: int,
    ) -> None:
        """Write an encoded block when its turn has come: blocks are spooled in text order."""
        with self._turn:
            self._turn.wait_for(lambda: len(self.pieces) == position or self.stop.is_set())
            if self.stop.is_set():
                raise Stopped
            n_ends = self.writer.append(word_ids, ends)
            self.pieces.append(Piece(counter, len(word_ids), n_ends, n_words))
            self.n_text_bytes += block.n_text_bytes
            self._n_raw_bytes += block.n_raw_bytes
            if self._total_bytes and self._n_raw_bytes:
                self.writer.expect(self._n_raw_bytes / self._total_bytes)
            self._turn.notify_all()


def read_text(
    paths: Paths,
    *,
    rules: VocabularyRules,
    vocabulary: Vocabulary | None = None,
    lowercase: bool = False,
    tokenizer: Tokenizer | None = None,
    threads: int = 1,
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """Count and encode text files in one pass; the result is the same for any `threads`.

    paths: one or many, with globs, .gz .bz2 .xz .zst, "-" for standard input.  Words are what
    ASCII white space separates; a newline or a file's end ends a sentence.
    rules: which words are kept.  vocabulary: encode with this one instead.
    lowercase: lower each word, by Unicode's rules.
    tokenizer: from a line, without its newline, to a list of tokens; runs on one thread.
    threads: int >= 1, that count.
    spool_limit_bytes: word ids that will take more go to a temporary file: from the start where
    the sizes of all files are known, else when they reach it.
    progress: called about ten times a second, from the calling thread, with
    (bytes of the files done, bytes of all files or None, tokens so far).
    Returns an EncodedCorpus; close its spool after use.
    Raises ReadError for what cannot be read, CorpusError if there are no words or none is kept,
    SaveError if the temporary file cannot be written, UsageError for an impossible parameter.
    """
    started = time.perf_counter()
    scan = Scan(find_sources(paths), SpoolWriter(spool_limit_bytes))
    try:
        if tokenizer is None:
            counted = _count_words(scan, threads, progress)
        else:
            counted = _count_lines(scan, tokenizer, progress)
        if lowercase:
            counted = fold_case(counted)
        return encode(counted, rules, vocabulary, scan.n_text_bytes, started)
    except BaseException:
        scan.writer.close()
        raise
    finally:
        for source in scan.sources:
            source.close()


def _count_words(scan: Scan, threads: int, progress: Progress | None) -> CountedCorpus:
    lexicons = [Lexicon() for _ in range(threads)]
    feed = BlockFeed(scan.sources, blocks.BLOCK_BYTES, blocks.WHITE_SPACE, scan.stop)
    scan.run(lexicons, feed, progress)
    if threads == 1:
        return _result(scan, lexicons[0], [_identity(lexicons[0].n_words)])
    # Words come in order of first appearance, as pieces are in text order.
    merged = Lexicon(max(lexicon.n_slots for lexicon in lexicons))
    word_numbers = [np.empty(lexicon.n_words, np.int32) for lexicon in lexicons]
    n_merged = [0] * threads
    for piece in scan.pieces:
        i = piece.counter
        merged.merge(lexicons[i], n_merged[i], piece.n_words, word_numbers[i])
        n_merged[i] = piece.n_words
    return _result(scan, merged, word_numbers)


def _count_lines(scan: Scan, tokenizer: Tokenizer, progress: Progress | None) -> CountedCorpus:
    lexicon = LineLexicon(tokenizer, scan.stop)
    feed = BlockFeed(scan.sources, blocks.LINE_BLOCK_BYTES, blocks.NEWLINE, scan.stop)
    scan.run([lexicon], feed, progress)
    return _result(scan, lexicon, [_identity(lexicon.n_words)])


def _identity(n_words: int) -> Int32Array:
    return np.arange(n_words, dtype=np.int32)


def _result(
    scan: Scan, lexicon: Lexicon | TokenLexicon, word_numbers: list[Int32Array]
) -> CountedCorpus:
    return CountedCorpus(
        name=scan.name,
        counts=lexicon.counts,
        decode=lexicon.decode,
        written=scan.writer,
        pieces=scan.pieces,
        word_numbers=word_numbers,
    )
