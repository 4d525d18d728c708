"""Which files the paths stand for, and the text in them."""

import bz2
import gc
import gzip
import importlib
import lzma
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from fastw2v.corpus import VocabularyRules, read_text
from fastw2v.corpus.sources import SourceReader, find_sources
from fastw2v.errors import CorpusError, MissingPackageError, ReadError, UsageError

TEXT = b"one two\nthree\xff \xc3\xa9\n" * 5000
COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, "": bytes}
ALL = VocabularyRules(min_count=1)


@pytest.fixture(params=["gzip", "isal", "bzip2", "xz"])
def suffix(request, monkeypatch):
    """A suffix, and of .gz each package that unpacks it."""
    if request.param == "isal":
        pytest.importorskip("isal.igzip", reason="isal is not installed")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)
        monkeypatch.setitem(sys.modules, "isal.igzip", None)
    return {"gzip": ".gz", "isal": ".gz", "bzip2": ".bz2", "xz": ".xz"}[request.param]


def read_all(path, n_bytes=1000):
    (source,) = find_sources(path)
    # Damaged data can hold NUL bytes before the damage is noticed.
    reader = SourceReader(replace(source, allow_binary=True), threading.Event())
    try:
        return b"".join(iter(lambda: reader.read(n_bytes), b""))
    finally:
        reader.close()


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("name", ["a", "a.gz", "a.xz", "a.txt"])
def test_compression_is_known_by_the_first_bytes_whatever_the_name(tmp_path, suffix, name):
    if suffix == "" and name != "a.txt":
        name = "a"
    path = tmp_path / name
    path.write_bytes(COMPRESS[suffix](TEXT))
    assert read_all(path) == TEXT


def test_files_of_several_members_are_read_to_the_end(tmp_path, suffix):
    path = tmp_path / "a"
    path.write_bytes(COMPRESS[suffix](TEXT) + COMPRESS[suffix](b"end"))
    assert read_all(path) == TEXT + b"end"


def test_a_truncated_file_is_named_with_the_place(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    data = COMPRESS[suffix](os.urandom(20_000).hex().encode())
    path.write_bytes(data[: len(data) - 20])
    message = r"^cannot read .*cut\.\w+ after \d+ bytes of text: the \w+ data is truncated$"
    with pytest.raises(ReadError, match=message):
        read_all(path)
    with pytest.raises(ReadError, match=message):
        read_text(path, rules=ALL, threads=2)


def test_a_damaged_file_is_named_with_the_place(tmp_path, suffix):
    path = tmp_path / f"bad{suffix}"
    data = bytearray(COMPRESS[suffix](os.urandom(20_000).hex().encode()))
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    path.write_bytes(data)
    with pytest.raises(
        ReadError, match=r"bad\.\w+ after \d+ bytes .*: the \w+ data is (damaged|truncated)"
    ):
        read_all(path)


def test_a_name_that_promises_compression_is_believed(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(b"plain text")
    with pytest.raises(ReadError, match=r"a\.gz after 0 bytes of text: the gzip data is damaged"):
        read_all(path)


OPENED = """
import sys
from fastw2v.cli import main
n_opened = 0
def count(event, args):
    global n_opened
    n_opened += event == "open" and str(args[0]).endswith(sys.argv[1])
sys.addaudithook(count)
assert main(["train", sys.argv[1], "-o", "v", "--epochs", "1", "--min-count", "1", "-q"]) == 0
print(n_opened)
"""


@pytest.mark.parametrize("name", ["text", "text.gz"])
def test_a_training_opens_its_corpus_once(tmp_path, name):
    (tmp_path / name).write_bytes(COMPRESS[".gz" if name.endswith("gz") else ""](TEXT))
    shown = subprocess.run(
        [sys.executable, "-c", OPENED, name], cwd=tmp_path, check=True, capture_output=True
    )
    assert shown.stdout == b"1\n"


def test_what_was_checked_must_be_what_is_read(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"first\n")
    sources = find_sources(path)
    (tmp_path / "other").write_bytes(b"second\n")
    os.replace(tmp_path / "other", path)
    for _ in range(2):  # then opened again
        with pytest.raises(CorpusError, match=f"^{path} was replaced or deleted while it was read"):
            read_text(sources, rules=ALL)
    assert read_text(path, rules=ALL).vocabulary.words == ["second"]


def test_more_files_than_a_process_may_open_are_read(tmp_path):
    for i in range(1200):
        (tmp_path / f"{i:04}").write_bytes(b"a\n")
    assert len(find_sources(tmp_path / "*")) == 1200
    assert read_text(tmp_path / "*", rules=ALL).n_tokens_read == 1200


def test_globs_are_sorted_and_match_files_only(tmp_path):
    for name in ("b.txt", "a.txt", "c.dat", "[x]"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "d.txt").mkdir()
    sources = find_sources([tmp_path / "*.txt", str(tmp_path / "?.dat"), tmp_path / "[x]"])
    names = [os.path.basename(source.path) for source in sources]
    assert names == ["a.txt", "b.txt", "c.dat", "[x]"]


def test_a_glob_that_matches_nothing_is_named(tmp_path):
    with pytest.raises(ReadError, match=re.escape(f"no file matches {tmp_path}/*.txt")):
        find_sources(tmp_path / "*.txt")


def test_a_missing_file_and_a_directory_are_named_before_any_reading(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(ReadError, match=r"cannot read .*/nowhere: No such file or directory"):
        find_sources([tmp_path / "a", tmp_path / "nowhere"])
    with pytest.raises(
        ReadError, match=r"cannot read .*: it is a directory; did you mean .*/\* \?"
    ):
        find_sources([tmp_path / "a", tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(ReadError, match=r"cannot read .*secret: Permission denied"):
        find_sources(path)


def test_no_path_and_twice_standard_input_are_refused():
    with pytest.raises(UsageError, match="no corpus path was given"):
        find_sources([])
    with pytest.raises(UsageError, match="is given twice"):
        find_sources(["-", "-"])


def test_zstd_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    path = tmp_path / "a"
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x00")
    monkeypatch.setattr(importlib, "import_module", absent)
    message = r"^cannot read .*/a: zstd needs an optional package: pip install 'fastw2v\[zstd\]'$"
    with pytest.raises(MissingPackageError, match=message):
        find_sources(path)


def test_zstd_is_read(tmp_path):
    zstd = pytest.importorskip(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    )
    data = zstd.compress(TEXT)
    (tmp_path / "a").write_bytes(data + zstd.compress(b"end"))
    (tmp_path / "cut").write_bytes(data[:-5])
    (tmp_path / "bad").write_bytes(data[:10] + b"\xff" * 20 + data[30:])
    assert read_all(tmp_path / "a") == TEXT + b"end"
    with pytest.raises(ReadError, match="the zstd data is truncated"):
        read_all(tmp_path / "cut")
    with pytest.raises(ReadError, match="the zstd data is damaged"):
        read_all(tmp_path / "bad")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_standard_input_is_read_compressed_or_not(suffix):
    script = (
        "from fastw2v.corpus import *; "
        "c = read_text('-', rules=VocabularyRules(1), threads=2); "
        "print(c.n_tokens_read, c.n_bytes_read, c.n_sentences)"
    )
    data = COMPRESS[suffix](TEXT)
    done = subprocess.run(
        [sys.executable, "-c", script], input=data, capture_output=True, check=True
    )
    assert done.stdout.split() == [b"20000", b"%d" % len(TEXT), b"10000"]


def test_a_named_pipe_is_read_as_it_fills(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def fill():
        with open(path, "wb", buffering=0) as file:
            for i in range(0, len(TEXT), 7001):
                file.write(TEXT[i : i + 7001])

    writer = threading.Thread(target=fill)
    writer.start()
    corpus = read_text(path, rules=ALL)
    writer.join()
    assert (corpus.n_tokens_read, corpus.n_sentences) == (20000, 10000)


def test_a_file_that_vanishes_before_it_is_opened_is_named_and_leaves_nothing(tmp_path, capsys):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    (source,) = find_sources(path)
    path.unlink()
    with pytest.raises(ReadError, match=r"cannot read .*pipe: No such file"):
        SourceReader(source, threading.Event())
    gc.collect()  # an exception in its close() would fail the test
