"""The threads that count blocks of text and write them to the spool in order."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from fastw2v.base.threads import run_threads
from fastw2v.corpus.arrays import Int32Array, Int64Array
from fastw2v.corpus.blocks import Block, BlockFeed, Scratch
from fastw2v.corpus.encode import Piece, corpus_name
from fastw2v.corpus.sentences import PROGRESS_SECONDS, Progress
from fastw2v.corpus.sources import Source, Stopped
from fastw2v.corpus.spool import SpoolWriter


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
