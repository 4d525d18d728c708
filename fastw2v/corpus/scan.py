"""Read text files in one pass: threads count and encode blocks, which never split a word."""

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from fastw2v import _core
from fastw2v.base.memory import Int32Array, Int64Array
from fastw2v.base.threads import Thread, run_threads
from fastw2v.corpus.encode import (
    CountedCorpus,
    EncodedCorpus,
    EncodedPiece,
    corpus_name,
    encode,
    fold_case,
)
from fastw2v.corpus.lexicon import Lexicon, LineLexicon, TokenLexicon
from fastw2v.corpus.sentences import PROGRESS_SECONDS, Progress
from fastw2v.corpus.sources import (
    PIECE_BYTES,
    POLL_SECONDS,
    Paths,
    Source,
    SourceReader,
    Stopped,
    find_sources,
)
from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, SpoolWriter
from fastw2v.corpus.tokenizers import MAX_LINE_BYTES, AnyTokenizer, Tokenizer
from fastw2v.corpus.vocabulary import Vocabulary, VocabularyRules
from fastw2v.errors import CorpusError, ReadError, reading

# Smaller blocks need more synchronization, larger ones more memory per thread.
BLOCK_BYTES = 1 << 20
LINE_BLOCK_BYTES = 1 << 16  # small, since Python tokenizers are slow and progress moves by block
LOOKAHEAD_BYTES = 256  # first read past a block's end for the rest of its last word
PREFETCHED_BLOCKS = 2  # decompressed ahead of the counting threads


class Separator(NamedTuple):
    """The bytes between two words or lines, and the size beyond which these are not read whole.

    The lexicon gets more than max_bytes of a longer one, which it skips or refuses.
    """

    pattern: re.Pattern[bytes]
    max_bytes: int


WHITE_SPACE = Separator(re.compile(rb"[ \t\n\r\v\f]"), _core.MAX_WORD_BYTES)
RAW_TEXT = Separator(WHITE_SPACE.pattern, MAX_LINE_BYTES)  # for a Tokenizer
NEWLINE = Separator(re.compile(rb"\n"), MAX_LINE_BYTES)


@dataclass(frozen=True)
class Block:
    """Text between two cuts, with its size in the file and its size decompressed."""

    n_raw_bytes: int
    n_text_bytes: int

    @property
    def name(self) -> str:
        """The name of the file in errors."""
        raise NotImplementedError

    def load(self, scratch: "Scratch") -> bytes | memoryview:
        """Return the text; a view of `scratch` is valid until scratch is used again."""
        raise NotImplementedError


@dataclass(frozen=True)
class TextBlock(Block):
    """A block of a stream, which is already read."""

    reader: SourceReader
    text: bytes

    @property
    def name(self) -> str:
        """The name of the file in errors."""
        return self.reader.name

    def load(self, scratch: "Scratch") -> bytes:
        """Return the text."""
        return self.text


@dataclass(frozen=True)
class FileBlock(Block):
    """A range of a plain file, read by the thread that counts it.

    The cut of a position is the first separator at or after it. The block extends from the cut of
    `begin` to the cut of `end`. Each range is cut independently of the others, and a range without
    a separator, inside a long word, is empty. A word too long is cut after more than
    separator.max_bytes.
    """

    source: Source
    begin: int
    end: int
    separator: Separator

    @property
    def name(self) -> str:
        """The name of the file in errors."""
        return self.source.name

    def load(self, scratch: "Scratch") -> memoryview:
        """Read the text; add a newline at the end of the file."""
        is_last = self.end == self.source.n_bytes
        n_bytes = self.end - self.begin
        with reading(self.source.name), self.source.descriptor() as fd:
            text = scratch.view(n_bytes + LOOKAHEAD_BYTES)
            self._read_into(fd, text[:n_bytes])
            self.source.check_nul(scratch.buffer, n_bytes, self.begin)
            first = self._first_cut(text[:n_bytes])
            if first is None:
                text[:1] = b"\n"
                return text[: int(is_last)]
            rest = b"\n" if is_last else self._rest(fd)
        if n_bytes + len(rest) > len(text):
            text = memoryview(bytes(text[:n_bytes]) + rest)
        else:
            text[n_bytes : n_bytes + len(rest)] = rest
        return text[first : n_bytes + len(rest)]

    def _first_cut(self, text: memoryview) -> int | None:
        if self.begin == self.source.text_start:
            return 0
        match = self.separator.pattern.search(text)
        return match.start() if match else None

    def _read_into(self, fd: int, text: memoryview) -> None:
        n_read = 0
        while n_read < len(text):
            n_more = os.preadv(fd, [text[n_read:]], self.begin + n_read)
            if n_more == 0:
                self.source.check_unchanged()
                raise ReadError(f"cannot read {self.source.name}: it shrank while it was read")
            n_read += n_more

    def _rest(self, fd: int) -> bytes:
        """Return the text between `end` and its cut."""
        parts: list[bytes] = []
        position, step = self.end, LOOKAHEAD_BYTES
        longest = self.end + self.separator.max_bytes
        while position <= longest and (text := os.pread(fd, step, position)):
            match = self.separator.pattern.search(text)
            if match:
                return b"".join([*parts, text[: match.start()]])
            parts.append(text)
            position, step = position + len(text), min(step * 4, BLOCK_BYTES)
        return b"".join(parts)


class Scratch:
    """A buffer that one thread reuses for reading."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def view(self, n_bytes: int) -> memoryview:
        """Return a buffer of n_bytes; earlier views are overwritten."""
        if len(self.buffer) < n_bytes:
            self.buffer = bytearray(n_bytes)
        return memoryview(self.buffer)[:n_bytes]


def cut_blocks(
    sources: list[Source], block_bytes: int, separator: Separator, stop: threading.Event
) -> Iterator[Block]:
    """Cut all sources into blocks of about block_bytes, in order."""
    for source in sources:
        if source.is_plain_file and source.n_bytes:
            n_done = 0  # with the byte order mark
            for begin in range(source.text_start, source.n_bytes, block_bytes):
                end = min(begin + block_bytes, source.n_bytes)
                yield FileBlock(end - n_done, end - begin, source, begin, end, separator)
                n_done = end
        else:
            yield from _stream_blocks(SourceReader(source, stop), block_bytes, separator)


def _stream_blocks(
    reader: SourceReader, block_bytes: int, separator: Separator
) -> Iterator[TextBlock]:
    """Cut a stream into blocks; add a newline at its end."""
    parts: list[bytes] = []
    n_bytes = n_raw_bytes = 0
    n_open = 0  # bytes past a full block without a separator; of too many, only the first are kept
    piece_bytes = min(PIECE_BYTES, block_bytes)
    try:
        while text_read := reader.read(piece_bytes):
            is_full = n_bytes >= block_bytes
            match = separator.pattern.search(text_read) if is_full else None
            if match:
                text = b"".join([*parts, text_read[: match.start()]])
                n_bytes += match.start()
                yield TextBlock(reader.n_raw_bytes - n_raw_bytes, n_bytes, reader, text)
                n_raw_bytes = reader.n_raw_bytes
                parts, n_bytes, n_open, is_full = [], 0, 0, False
                text_read = text_read[match.start() :]
            if n_open <= separator.max_bytes:
                parts.append(text_read)
            n_bytes += len(text_read)
            n_open += len(text_read) * is_full
        text = b"".join([*parts, b"\n"])
        yield TextBlock(reader.n_raw_bytes - n_raw_bytes, n_bytes, reader, text)
    finally:
        reader.close()


class BlockFeed:
    """Hands out the blocks of all sources, numbered in order, to any number of threads."""

    def __init__(
        self,
        sources: list[Source],
        block_bytes: int,
        separator: Separator,
        stop: threading.Event,
    ) -> None:
        """Prepare to read; a separate thread reads and decompresses streams."""
        self._lock = threading.Lock()
        self._n_taken = 0
        blocks = cut_blocks(sources, block_bytes, separator, stop)
        self._ahead = None
        if not all(source.is_plain_file for source in sources):
            blocks = self._ahead = ReadAhead(blocks, stop, "fastw2v-reader")
        self._blocks = blocks

    def take(self) -> tuple[int, Block] | None:
        """Return the next block and its number, or None at the end."""
        with self._lock:
            block = next(self._blocks, None)
            self._n_taken += 1
            return None if block is None else (self._n_taken - 1, block)

    def close(self) -> None:
        """Wait for the reading thread to end; set `stop` first."""
        if self._ahead is not None:
            self._ahead.join()


Item = TypeVar("Item")


class ReadAhead(Iterator[Item]):
    """Runs an iterator a few items ahead in a separate thread; __next__ raises its error."""

    def __init__(self, items: Iterator[Item], stop: threading.Event, name: str) -> None:
        """Start the thread.  stop: ends it when set.  name: name of the thread."""
        self._ready: queue.Queue[Item | BaseException | None] = queue.Queue(PREFETCHED_BLOCKS)
        self._stop = stop
        self._ended = False
        # A daemon, since opening a pipe without a writer blocks and cannot be interrupted.
        self._thread = Thread(partial(self._fill, items), name)
        try:
            self._thread.start()
        except BaseException:
            stop.set()
            raise

    def __next__(self) -> Item:
        while not (self._ended or self._stop.is_set()):
            lived = self._thread.lives()
            with suppress(queue.Empty):
                item = self._ready.get(timeout=POLL_SECONDS)
                if isinstance(item, BaseException):
                    raise item
                if item is not None:
                    return item
                self._ended = True
            if not (lived or self._ended):
                raise self._thread.failure or Stopped
        raise StopIteration if self._ended else Stopped

    def join(self) -> None:
        """Wait for the thread, unless it is blocked opening a pipe."""
        self._thread.join(timeout=5 * POLL_SECONDS)

    def _fill(self, items: Iterator[Item]) -> None:
        with suppress(Stopped):
            try:
                for item in items:
                    self._put(item)
                self._put(None)
            except Exception as error:
                self._put(error)

    def _put(self, item: Item | BaseException | None) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                return self._ready.put(item, timeout=POLL_SECONDS)
        raise Stopped


class Counter(Protocol):
    """Counts the text of one thread: a Lexicon or a LineLexicon."""

    @property
    def n_words(self) -> int:
        """The number of distinct words."""

    def encode(self, text: bytes | memoryview) -> tuple[Int32Array, Int64Array]:
        """Count and encode a block; see Lexicon.encode()."""


class ScanStop(threading.Event):
    """Stops a scan and wakes the threads that wait to append a block."""

    def __init__(self, turn: threading.Condition) -> None:
        super().__init__()
        self._turn = turn

    def set(self) -> None:
        """Stop."""
        super().set()
        with self._turn:
            self._turn.notify_all()


class CorpusScan:
    """One pass over the sources; the state shared by its threads."""

    def __init__(self, sources: list[Source], writer: SpoolWriter) -> None:
        self.sources = sources
        self.writer = writer
        self.encoded_pieces: list[EncodedPiece] = []
        self.n_text_bytes = 0
        self._n_raw_bytes = 0
        sizes = [source.n_bytes for source in sources]
        self._total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self._turn = threading.Condition()  # guards the attributes above
        self.stop = ScanStop(self._turn)

    def run(self, counters: Sequence[Counter], feed: BlockFeed, progress: Progress | None) -> None:
        """Count all blocks with one thread per counter; raise the first error of any thread."""
        bodies = [partial(self._work, i, counter, feed) for i, counter in enumerate(counters)]

        def tick() -> None:
            if progress:
                progress(self._n_raw_bytes, self._total_bytes, self.writer.n_tokens)

        try:
            run_threads(bodies, self.stop, tick, PROGRESS_SECONDS, "fastw2v-count")
        finally:
            feed.close()
        for source in self.sources:
            source.check_unchanged()
        tick()

    @property
    def name(self) -> str:
        """The name of the corpus in errors."""
        return corpus_name([source.name for source in self.sources])

    def _work(self, number: int, counter: Counter, feed: BlockFeed) -> None:
        scratch = Scratch()
        with suppress(Stopped):
            while not self.stop.is_set() and (taken := feed.take()):
                position, block = taken
                text = block.load(scratch)
                try:
                    word_ids, ends = counter.encode(text)
                except CorpusError as error:
                    raise CorpusError(f"{block.name}: {error}") from error
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
        """Append an encoded block to the spool once all earlier blocks are appended."""
        with self._turn:
            self._turn.wait_for(lambda: len(self.encoded_pieces) == position or self.stop.is_set())
            if self.stop.is_set():
                raise Stopped
            n_ends = self.writer.append(word_ids, ends)
            self.encoded_pieces.append(EncodedPiece(counter, len(word_ids), n_ends, n_words))
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
    tokenizer: AnyTokenizer | None = None,
    threads: int = 1,
    spool_limit_bytes: int = SPOOL_LIMIT_BYTES,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """Count and encode text files in one pass; the result does not depend on `threads`.

    Words are separated by ASCII white space. A newline or the end of a file ends a sentence. Words
    of more than MAX_WORD_BYTES are skipped, with a warning that counts them.

    paths: one or more paths, globs or URLs, plain or compressed (.gz .bz2 .xz .zst); "-" for
    standard input.
    rules: the rules that choose the vocabulary.  vocabulary: encode with this one instead.
    lowercase: convert words to lower case, by the rules of Unicode.
    tokenizer: a Tokenizer, or a function from a line, without its newline, to a list of tokens,
    which runs on one thread. A line for a function has at most MAX_LINE_BYTES.
    threads: int >= 1, number of counting threads.
    spool_limit_bytes: word ids that exceed this size go to temporary files: early on if the sizes
    of all files are known, otherwise when they reach the limit.
    progress: called about ten times a second, from the calling thread, with (bytes of the files
    done, bytes of all files or None, tokens so far).
    Returns an EncodedCorpus; close its spool after use.
    Raises ReadError if a file cannot be read, CorpusError if it is not text, changes while it is
    read, there are no words or none is kept, SaveError if a temporary file cannot be written,
    UsageError for an invalid parameter.
    """
    started = time.perf_counter()
    scan = CorpusScan(find_sources(paths), SpoolWriter(spool_limit_bytes))
    try:
        for source in scan.sources:
            source.check_content(source.content)
        if tokenizer is None or isinstance(tokenizer, Tokenizer):
            counted = _count_words(scan, tokenizer, threads, progress)
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


def _count_words(
    scan: CorpusScan, tokenizer: Tokenizer | None, threads: int, progress: Progress | None
) -> CountedCorpus:
    lexicons = [Lexicon(tokenizer=tokenizer) for _ in range(threads)]
    separator = WHITE_SPACE if tokenizer is None else RAW_TEXT
    feed = BlockFeed(scan.sources, BLOCK_BYTES, separator, scan.stop)
    scan.run(lexicons, feed, progress)
    n_too_long = sum(lexicon.n_too_long for lexicon in lexicons)
    if threads == 1:
        return _result(scan, lexicons[0], [_identity(lexicons[0].n_words)], n_too_long)
    # Pieces are in text order, which merges words in order of first appearance.
    merged = Lexicon(max(lexicon.n_slots for lexicon in lexicons))
    word_numbers = [np.empty(lexicon.n_words, np.int32) for lexicon in lexicons]
    n_merged = [0] * threads
    for encoded in scan.encoded_pieces:
        i = encoded.counter
        merged.merge(lexicons[i], n_merged[i], encoded.n_words, word_numbers[i])
        n_merged[i] = encoded.n_words
    return _result(scan, merged, word_numbers, n_too_long)


def _count_lines(
    scan: CorpusScan, tokenizer: Callable[[str], list[str]], progress: Progress | None
) -> CountedCorpus:
    lexicon = LineLexicon(tokenizer, scan.stop)
    feed = BlockFeed(scan.sources, LINE_BLOCK_BYTES, NEWLINE, scan.stop)
    scan.run([lexicon], feed, progress)
    return _result(scan, lexicon, [_identity(lexicon.n_words)])


def _identity(n_words: int) -> Int32Array:
    return np.arange(n_words, dtype=np.int32)


def _result(
    scan: CorpusScan,
    lexicon: Lexicon | TokenLexicon,
    word_numbers: list[Int32Array],
    n_too_long: int = 0,
) -> CountedCorpus:
    return CountedCorpus(
        name=scan.name,
        counts=lexicon.counts,
        decode=lexicon.decode,
        written=scan.writer,
        encoded_pieces=scan.encoded_pieces,
        word_numbers=word_numbers,
        n_too_long=n_too_long,
    )
