"""The threads that count blocks of text and write them to the spool in order."""

import threading
from collections.abc import Sequence
from typing import Protocol

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


class Scan:
    """One pass over some sources, and what its threads share."""

    def __init__(self, sources: list[Source], writer: SpoolWriter) -> None:
        self.sources = sources
        self.writer = writer
        self.pieces: list[Piece] = []
        self.stop = threading.Event()
        self.n_text_bytes = 0
        self._n_raw_bytes = 0
        sizes = [source.n_bytes for source in sources]
        self._total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self._error: BaseException | None = None
        self._n_running = 0
        self._turn = threading.Condition()  # guards all of the above but stop
        self._finished = threading.Event()

    def run(self, counters: Sequence[Counter], feed: BlockFeed, progress: Progress | None) -> None:
        """Count all blocks, a thread for each counter; the first error of any is raised here."""
        threads = [
            threading.Thread(target=self._work, args=(i, counter, feed), name=f"fastw2v-count-{i}")
            for i, counter in enumerate(counters)
        ]
        self._n_running = len(threads)
        try:
            for thread in threads:
                thread.start()
            self._wait(progress)
        finally:
            self._stop_all(None)
            for thread in threads:
                if thread.ident is not None:  # it was started
                    thread.join()
            feed.close()
        if self._error is not None:
            raise self._error

    @property
    def name(self) -> str:
        """What errors call the corpus."""
        return corpus_name([source.name for source in self.sources])

    def _wait(self, progress: Progress | None) -> None:
        """Report until all threads are done; the waits are short so that Ctrl-C is heard."""
        finished = False
        while not finished:
            # Not join() with a timeout: interrupted, Python 3.11's takes the thread for ended.
            finished = self._finished.wait(PROGRESS_SECONDS)
            if progress:
                progress(self._n_raw_bytes, self._total_bytes, self.writer.n_tokens)

    def _work(self, number: int, counter: Counter, feed: BlockFeed) -> None:
        scratch = Scratch()
        try:
            while not self.stop.is_set() and (taken := feed.take()):
                position, block = taken
                word_ids, ends = counter.encode(block.load(scratch))
                self._append(position, block, word_ids, ends, number, counter.n_words)
        except Stopped:
            pass
        except BaseException as error:
            self._stop_all(error)
        finally:
            with self._turn:
                self._n_running -= 1
                if self._n_running == 0:
                    self._finished.set()

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

    def _stop_all(self, error: BaseException | None) -> None:
        with self._turn:
            if self._error is None:
                self._error = error
            self.stop.set()
            self._turn.notify_all()
