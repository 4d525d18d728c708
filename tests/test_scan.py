"""Reading text files: the same corpus for any threads, blocks, files and spool."""

import bz2
import fcntl
import gzip
import itertools
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastw2v.corpus import Vocabulary, VocabularyRules, read_sentences, read_text, scan, spool
from fastw2v.corpus.lexicon import Lexicon, LineLexicon
from fastw2v.corpus.scan import BlockFeed, Scratch
from fastw2v.corpus.sources import find_sources
from fastw2v.errors import CorpusError, SaveError, UsageError

ALL = VocabularyRules(min_count=1)


def decoded(corpus):
    """Return the sentences of an encoded corpus as lists of words, as bytes."""
    (chunk,) = corpus.spool.chunks(corpus.spool.n_tokens, 0)
    words = [word.encode("utf-8", "surrogateescape") for word in corpus.vocabulary.words]
    tokens = [words[i] for i in chunk.word_ids]
    begins = [0, *chunk.sentence_ends[:-1]]
    return [tokens[a:b] for a, b in zip(begins, chunk.sentence_ends, strict=True)]


def sentences_of(*texts):
    return [line.split() for text in texts for line in text.split(b"\n") if line.split()]


def random_text(n_tokens, seed=0):
    """Return words whose counts fall like Zipf's law, with lines of 0 to 20 of them."""
    rng = np.random.default_rng(seed)
    ranks = np.minimum(rng.zipf(1.3, n_tokens), 5000)
    lines = np.split(ranks, np.cumsum(rng.integers(0, 20, n_tokens // 10)).clip(max=n_tokens))
    return b"\n".join(b" ".join(b"w%d" % i for i in line) for line in lines)


text_pieces = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b" ", b"\n", b"\r\n", b"\n\n", b"\t", b"x" * 40, "é".encode(), b"\0"]),
)


@given(st.lists(text_pieces, max_size=20).map(b"".join), st.integers(1, 60), st.booleans())
@settings(max_examples=200)
def test_borders_of_blocks_cut_no_word_wherever_they_fall(tmp_path_factory, text, size, packed):
    path = tmp_path_factory.mktemp("blocks") / "text"
    path.write_bytes(gzip.compress(text) if packed else text)
    (source,) = find_sources(path)
    assume(source.compression == ("gzip" if packed else ""))  # no text that begins like another
    assume(not text.startswith(b"\xef\xbb\xbf"))
    source = replace(source, allow_binary=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "LOOKAHEAD_BYTES", 1)
        feed = BlockFeed([source], size, scan.WHITE_SPACE, threading.Event())
        scratch = Scratch()
        taken = [bytes(block.load(scratch)) for _, block in iter(feed.take, None)]
        feed.close()
    assert b"".join(taken) == text + b"\n"
    assert [w for block in taken for w in block.split()] == text.split()


def test_every_block_size_gives_the_same_corpus(tmp_path, monkeypatch):
    texts = [b"a b\n\nc d" + b"e" * 50 + b"\n", b"", b"a\n \n b", b"\n\n", b"c a"]
    paths = [tmp_path / str(i) for i in range(5)]
    for i, (path, text) in enumerate(zip(paths, texts, strict=True)):
        path.write_bytes(bz2.compress(text) if i == 2 else text)
    for size in range(1, 70):
        monkeypatch.setattr(scan, "BLOCK_BYTES", size)
        corpus = read_text(paths, rules=ALL, threads=2)
        assert decoded(corpus) == sentences_of(*texts)
        assert corpus.n_bytes_read == sum(map(len, texts))


@pytest.mark.parametrize("spool_limit_bytes", [0, 100_000, 1 << 30])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_and_spool_change_nothing(tmp_path, monkeypatch, threads, spool_limit_bytes):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 3000)
    text = random_text(50_000)
    path = tmp_path / "text"
    path.write_bytes(text)
    corpus = read_text(
        path, rules=VocabularyRules(3), threads=threads, spool_limit_bytes=spool_limit_bytes
    )
    counts = Counter(text.split())
    kept = {word for word, count in counts.items() if count >= 3}
    ranked = [word for word, count in counts.most_common() if count >= 3]
    assert [word.encode() for word in corpus.vocabulary.words] == ranked
    assert corpus.vocabulary.counts.tolist() == [counts[word] for word in ranked]
    want = [[word for word in sentence if word in kept] for sentence in sentences_of(text)]
    assert decoded(corpus) == [sentence for sentence in want if sentence]
    assert corpus.spool.in_memory == (spool_limit_bytes == 1 << 30)
    assert corpus.n_tokens_read == 50_000 == corpus.spool.n_tokens + corpus.n_below_min_count
    assert corpus.n_sentences == len(want)
    corpus.spool.close()


@pytest.mark.parametrize("name", ["text", "-"])
def test_a_spool_that_will_not_fit_fills_no_memory_first(tmp_path, monkeypatch, name):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 3000)
    moved, text = [], random_text(50_000)
    move = spool.moved_to_file
    monkeypatch.setattr(spool, "moved_to_file", lambda c, d: moved.append(c.n_items) or move(c, d))
    (tmp_path / "text").write_bytes(text)
    with open(tmp_path / "text") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        source = "-" if name == "-" else tmp_path / name
        read_text(source, rules=ALL, threads=2, spool_limit_bytes=100_000).spool.close()
    n_tokens, n_ends = moved
    # What is left to come is not known of standard input.
    assert (n_tokens > 20_000) if name == "-" else (0 < n_tokens < 10_000)
    assert n_ends <= n_tokens


def test_a_spool_that_pruning_makes_small_comes_back_to_memory(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b" ".join(b"w%d" % i for i in range(10_000)) + b" a a a a a")
    corpus = read_text(path, rules=VocabularyRules(5), spool_limit_bytes=1000)
    assert corpus.spool.in_memory
    assert decoded(corpus) == [[b"a"] * 5]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_word_longer_than_many_blocks_is_one_word(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 1000)
    long = os.urandom(50_000).translate(None, b"\0 \t\n\r\v\f")
    path = tmp_path / "text"
    for text in (long, b"a " + long + b" b " + long + b"\nc", b" " + long + b" "):
        path.write_bytes(text)
        assert decoded(read_text(path, rules=ALL, threads=threads)) == sentences_of(text)


LIMIT = scan.WHITE_SPACE.max_bytes


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_a_word_without_end_is_skipped_and_counted_and_never_held_whole(
    tmp_path, monkeypatch, threads, packed
):
    sizes, block_bytes = [], 10_000
    monkeypatch.setattr(scan, "BLOCK_BYTES", block_bytes)
    encode = Lexicon.encode
    monkeypatch.setattr(
        Lexicon, "encode", lambda self, text: sizes.append(len(text)) or encode(self, text)
    )
    for n_bytes in (LIMIT + 1, LIMIT + block_bytes, 10 * LIMIT):
        for before, after in ((b"", b""), (b"a b\n", b" c\nd"), (b"a " * block_bytes, b"\nb")):
            text = before + b"x" * n_bytes + after
            (tmp_path / "text").write_bytes(gzip.compress(text) if packed else text)
            if not text.replace(b"x", b""):
                with pytest.raises(CorpusError, match="contains no words; skipped 1 word of"):
                    read_text(tmp_path / "text", rules=ALL, threads=threads)
                continue
            with pytest.warns(UserWarning, match=f"text: skipped 1 word of more than {LIMIT:,}"):
                corpus = read_text(tmp_path / "text", rules=ALL, threads=threads)
            assert decoded(corpus) == sentences_of(before + after)
            assert (corpus.n_too_long, corpus.n_bytes_read) == (1, len(text))
    assert max(sizes) <= LIMIT + scan.BLOCK_BYTES * 4


def test_a_word_at_the_limit_is_kept_wherever_a_block_begins(tmp_path, monkeypatch):
    long = b"x" * LIMIT
    for begin in (0, 1, 999, 1000, 1001):
        text = b" " * begin + long + b" " + long + b"y" + b" " + long
        (tmp_path / "text").write_bytes(text)
        (tmp_path / "text.gz").write_bytes(gzip.compress(text))
        monkeypatch.setattr(scan, "BLOCK_BYTES", 1000)
        for name in ("text", "text.gz"):
            with pytest.warns(UserWarning, match="skipped 1 word"):
                corpus = read_text(tmp_path / name, rules=ALL, threads=2)
            assert decoded(corpus) == [[long, long]]


def test_a_word_too_long_in_a_table_is_counted_too():
    rows = [{"text": "a b"}, {"text": "c " + "x" * (LIMIT + 1)}, {"text": "é" * (LIMIT // 2)}]
    with pytest.warns(UserWarning, match="the corpus: skipped 1 word"):
        corpus = read_sentences(rows, rules=ALL, column="text")
    assert corpus.n_too_long == 1
    assert corpus.n_tokens_read == 4


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_too_long_for_a_tokenizer_is_refused_and_never_held_whole(
    tmp_path, monkeypatch, packed
):
    monkeypatch.setattr(scan, "LINE_BLOCK_BYTES", 100)
    monkeypatch.setattr(scan, "NEWLINE", scan.NEWLINE._replace(max_bytes=1000))
    monkeypatch.setattr("fastw2v.corpus.lexicon.MAX_LINE_BYTES", 1000)
    sizes = []
    encode = LineLexicon.encode
    monkeypatch.setattr(
        LineLexicon, "encode", lambda self, text: sizes.append(len(text)) or encode(self, text)
    )
    for n_bytes in (1001, 1100, 100_000):
        text = b"a b\n" + "é".encode() * (n_bytes // 2) + b"x\nc"
        (tmp_path / "text").write_bytes(gzip.compress(text) if packed else text)
        message = r"^.*text: a line has more than 1,000 bytes, .* begins with 'éééééééééé'"
        with pytest.raises(CorpusError, match=message):
            read_text(tmp_path / "text", rules=ALL, tokenizer=str.split)
    assert max(sizes) <= 1000 + 4 * 256 + 2 * 100
    (tmp_path / "text").write_bytes(b"a\n" + b"x" * 1000 + b"\nb")
    assert len(read_text(tmp_path / "text", rules=ALL, tokenizer=str.split).vocabulary) == 3


def test_a_file_end_ends_a_sentence(tmp_path):
    for name, text in (("a", b"x y"), ("b", b"z"), ("c", b"")):
        (tmp_path / name).write_bytes(text)
    assert decoded(read_text(tmp_path / "*", rules=ALL)) == [[b"x", b"y"], [b"z"]]


def test_a_given_vocabulary_is_used_as_it_is(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"a x b\nx\nb \xff")
    vocabulary = Vocabulary(["b", "\udcff", "a"], [9, 8, 7])
    corpus = read_text(path, rules=ALL, vocabulary=vocabulary, threads=2)
    assert corpus.vocabulary is vocabulary
    assert decoded(corpus) == [[b"a", b"b"], [b"b", b"\xff"]]
    assert (corpus.n_tokens_read, corpus.n_below_min_count, corpus.n_sentences) == (6, 2, 3)


@pytest.mark.parametrize("threads", [1, 2])
def test_lowercase_joins_words_by_unicode_rules(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 10)
    text = "The the ÉCOLE\nécole ΟΔΟΣ THE Ⅷ"
    path = tmp_path / "text"
    path.write_bytes(text.encode() + b" \xff")
    corpus = read_text(path, rules=ALL, lowercase=True, threads=threads)
    want = [line.encode().split() for line in text.lower().split("\n")]
    want[-1].append(b"\xff")
    assert decoded(corpus) == want
    assert corpus.vocabulary.words[:2] == ["the", "école"]
    assert corpus.vocabulary.counts.tolist() == [3, 2, 1, 1, 1]


@pytest.mark.parametrize("block_bytes", [1, 7, 1 << 16])
def test_a_tokenizer_sees_whole_lines(tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(scan, "LINE_BLOCK_BYTES", block_bytes)
    lines = ["a, b", "", "New York,  é", "x"]
    path = tmp_path / "text"
    path.write_bytes("\n".join(lines).encode() + b"\xff")
    seen = []

    def tokenizer(line):
        seen.append(line)
        return line.split(", ")

    corpus = read_text(path, rules=ALL, tokenizer=tokenizer, threads=4)
    assert seen == ["a, b", "New York,  é", "x\udcff"]
    assert decoded(corpus) == [[b"a", b"b"], [b"New York", " é".encode()], [b"x\xff"]]


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (str.upper, "the tokenizer must return a list of tokens, got a str"),
        (len, "the tokenizer must return a list of tokens, got a int"),
        (lambda line: [None], r"the tokenizer returned \[None\]: a token must be a string"),
    ],
)
def test_a_tokenizer_that_returns_no_tokens_is_refused(tmp_path, tokenizer, message):
    (tmp_path / "text").write_bytes(b"a b")
    with pytest.raises(CorpusError, match=message):
        read_text(tmp_path / "text", rules=ALL, tokenizer=tokenizer)


def test_an_error_in_the_tokenizer_reaches_the_caller(tmp_path):
    (tmp_path / "text").write_bytes(b"a b")
    with pytest.raises(ZeroDivisionError):
        read_text(tmp_path / "text", rules=ALL, tokenizer=lambda line: 1 // 0)


def test_the_first_error_of_a_thread_reaches_the_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 100)
    (tmp_path / "text").write_bytes(random_text(20_000))
    calls = itertools.count()
    encode = Lexicon.encode

    def failing(self, text):
        if next(calls) == 20:
            raise MemoryError("no room")
        return encode(self, text)

    monkeypatch.setattr(Lexicon, "encode", failing)
    with pytest.raises(MemoryError, match="no room"):
        read_text(tmp_path / "text", rules=ALL, threads=4)
    assert threading.active_count() == 1


def test_a_full_disk_stops_the_scan(tmp_path, monkeypatch):
    (tmp_path / "text").write_bytes(random_text(20_000))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SaveError, match="set TMPDIR"):
        read_text(tmp_path / "text", rules=ALL, threads=2, spool_limit_bytes=100)


@pytest.mark.parametrize("text", [b"", b" \n\n\t "])
@pytest.mark.parametrize("packed", [False, True])
def test_a_corpus_without_words_is_named(tmp_path, text, packed):
    for name in "abcd":
        (tmp_path / name).write_bytes(gzip.compress(text) if packed else text)
    with pytest.raises(CorpusError, match=r"^corpus .*/a contains no words$"):
        read_text(tmp_path / "a", rules=ALL, threads=2)
    with pytest.raises(CorpusError, match=r"^corpus .*/a, .*/b, .*/c and 1 more files contains"):
        read_text(tmp_path / "*", rules=ALL)


def test_less_than_one_thread_is_refused(tmp_path):
    with pytest.raises(UsageError, match="threads must be at least 1, got 0"):
        read_text(tmp_path, rules=ALL, threads=0)


@pytest.mark.parametrize("packed", [False, True])
def test_progress_rises_to_the_whole_from_the_calling_thread(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 1000)
    text = random_text(20_000)
    path = tmp_path / "text"
    path.write_bytes(gzip.compress(text) if packed else text)
    calls = []

    def progress(*numbers):
        calls.append((*numbers, threading.current_thread()))

    read_text(path, rules=ALL, progress=progress)
    size = path.stat().st_size
    assert calls[-1] == (size, size, 20_000, threading.main_thread())
    assert calls == sorted(calls, key=lambda call: call[:3])


def test_an_error_in_progress_stops_the_scan(tmp_path):
    (tmp_path / "text").write_bytes(b"a b")

    def progress(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        read_text(tmp_path / "text", rules=ALL, progress=progress)
    assert threading.active_count() == 1


@pytest.mark.parametrize("use", ["pipe", "tokenizer"])
def test_ctrl_c_stops_a_silent_pipe_and_a_slow_tokenizer(tmp_path, use):
    (tmp_path / "text").write_bytes(b"a b\n" * 100_000)
    script = """
import signal, sys, threading, time
from fastw2v.corpus import *
signal.alarm(60)  # ends a hang
n_lines = 0
def slow(line):
    global n_lines
    n_lines += 1
    if n_lines == 3:
        print("tokenizing", flush=True)
    time.sleep(0.01)
    return line.split()
path, tokenizer = ("-", None) if sys.argv[1] == "pipe" else (sys.argv[2], slow)
try:
    read_text(path, rules=VocabularyRules(1), tokenizer=tokenizer, threads=2)
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), n_lines < 100_000, flush=True)
"""
    command = [sys.executable, "-c", script, use, str(tmp_path / "text")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if use == "pipe":
            process.stdin.write(b"some words\n")
            process.stdin.flush()
            while fcntl.ioctl(process.stdin, termios.FIONREAD, b"    ") != b"\0\0\0\0":
                time.sleep(0.02)
        else:
            assert process.stdout.readline() == b"tokenizing\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"interrupted 1 True\n"
        assert process.wait(60) == 0
