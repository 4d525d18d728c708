"""Corpora behind URLs, by fsspec where it is installed."""

import gzip
import sys

import pytest
from test_sentences import decoded

from fastw2v.corpus import VocabularyRules, read_text
from fastw2v.corpus.sources import is_url
from fastw2v.errors import MissingPackageError, ReadError

ALL = VocabularyRules(min_count=1)


def clear(files):
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture
def memory():
    """A file system in memory, known as memory://."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    clear(files)
    files.pipe({"/corpus/b.txt": b"b b\nc\n", "/corpus/a.txt.gz": gzip.compress(b"a b\na")})
    files.mkdir("/corpus/deeper")
    yield files
    clear(files)


def read(paths, threads=1):
    return decoded(read_text(paths, rules=ALL, threads=threads))


@pytest.mark.parametrize("threads", [1, 3])
def test_urls_are_read_plain_and_compressed(memory, tmp_path, threads):
    (tmp_path / "local").write_text("d\n")
    local = tmp_path / "local"
    assert read("memory://corpus/b.txt", threads) == [["b", "b"], ["c"]]
    assert read("memory://corpus/a.txt.gz", threads) == [["a", "b"], ["a"]]
    assert read([f"file://{local}", "memory://corpus/b.txt", local], threads) == [
        ["d"], ["b", "b"], ["c"], ["d"],
    ]  # fmt: skip


def test_wildcards_match_files_in_order(memory):
    assert read("memory://corpus/*") == [["a", "b"], ["a"], ["b", "b"], ["c"]]


def test_a_url_is_opened_once(memory, monkeypatch):
    opened = []
    original = type(memory)._open
    monkeypatch.setattr(
        type(memory), "_open", lambda *args, **how: opened.append(args[1]) or original(*args, **how)
    )
    read("memory://corpus/*")
    assert sorted(opened) == ["/corpus/a.txt.gz", "/corpus/b.txt"]


def test_parquet_is_read_from_a_url(memory):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    with memory.open("/t.parquet", "wb") as file:
        parquet.write_table(pa.table({"words": [["a", "b"]]}), file)
    assert decoded(read_text("memory://t.parquet", rules=ALL)) == [["a", "b"]]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://corpus/x", "cannot read memory://corpus/x: No such file or directory"),
        ("memory://corpus/x*", r"no file matches memory://corpus/x\*"),
        ("memory://corpus/deeper", r"cannot read memory://corpus/deeper: it is a directory; did"),
        ("nosuch://a/b", "cannot read nosuch://a/b: Protocol not known: nosuch"),
    ],
)
def test_urls_that_cannot_be_read_are_named(memory, url, message):
    with pytest.raises(ReadError, match=f"^{message}"):
        read(url)


def test_an_error_while_reading_is_named(memory, monkeypatch):
    class Broken(Exception):
        pass

    def read_nothing(self, n_bytes=-1):
        if self.tell() == 0:
            return original(self, n_bytes)
        raise Broken("gone")

    memory.pipe("/big", b"word " * 500_000)
    kind = type(memory.open("/big", "rb"))
    original = kind.read
    monkeypatch.setattr(kind, "read", read_nothing)
    with pytest.raises(ReadError, match=r"^cannot read memory://big after \d+ bytes .* gone$"):
        read("memory://big")


def test_without_fsspec_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    message = (
        r"^cannot read s3://b/t: a URL needs an optional package: pip install 'fastw2v\[remote\]'$"
    )
    with pytest.raises(MissingPackageError, match=message):
        read("s3://b/t")


def test_what_is_a_url():
    urls = ["s3://b/x", "https://h/x.gz", "simplecache::s3://b/x", "memory://x"]
    assert all(map(is_url, urls))
    assert not any(map(is_url, ["a/b", "C:/x", "./s3:/x", "-", "x:y", "://x"]))
