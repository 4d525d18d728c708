"""A corpus that changes while it is read is an error that names the file."""

import gzip
import os
import sys

import pytest

from fastw2v import Phrases, Word2Vec, cli
from fastw2v.corpus import VocabularyRules, read_text, scan, sources
from fastw2v.corpus.lexicon import Lexicon
from fastw2v.corpus.sources import find_sources
from fastw2v.errors import CorpusError, ReadError

ALL = VocabularyRules(min_count=1)
TEXT = b"a b c d\n" * 4000
OTHER = b"e f g h\n" * 4000


def replace(path):
    (path.parent / "other").write_bytes(OTHER)
    os.replace(path.parent / "other", path)


def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"e" * path.stat().st_size)


def extend(path):
    with open(path, "ab") as file:
        file.write(OTHER)


def shorten(path):
    os.truncate(path, path.stat().st_size // 2)


CHANGES = {
    replace: "replaced or deleted",
    os.unlink: "replaced or deleted",
    overwrite: "overwritten",
    extend: r"extended from \d+ to \d+ bytes",
    shorten: r"shortened from \d+ to \d+ bytes",
}
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A file of many blocks, last written long ago."""
    monkeypatch.setattr(scan, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(scan, "PIECE_BYTES", 1000)
    return written(tmp_path / "text", TEXT)


def written(path, data):
    path.write_bytes(data)
    os.utime(path, ns=(0, 0))
    return path


def at_block(monkeypatch, number, action):
    """Act once, when this many blocks have been counted."""
    counted, encode = [], Lexicon.encode

    def acting(self, text):
        counted.append(len(text))
        if len(counted) == number:
            action()
        return encode(self, text)

    monkeypatch.setattr(Lexicon, "encode", acting)


@each_change
@pytest.mark.parametrize("number", [1, 7, 32])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_change_during_the_read_is_named(text, monkeypatch, change, number, threads):
    at_block(monkeypatch, number, lambda: change(text))
    with pytest.raises(CorpusError, match=rf"^{text} was {CHANGES[change]} while it was read; "):
        read_text(text, rules=ALL, threads=threads)


@each_change
@pytest.mark.parametrize("is_closed", [False, True])
def test_a_change_of_any_of_several_files_is_named(tmp_path, monkeypatch, change, is_closed):
    monkeypatch.setattr(sources, "MAX_HELD_FILES", 2 if is_closed else 100)
    paths = [written(tmp_path / f"{i}.txt", TEXT) for i in range(5)]
    for path in (paths[0], paths[2], paths[4]):
        named = rf"^({path} was {CHANGES[change]} while|cannot read {path}: No such file)"
        with monkeypatch.context() as patch:
            at_block(patch, 3, lambda path=path: change(path))
            with pytest.raises((CorpusError, ReadError), match=named):
                read_text(tmp_path / "*.txt", rules=ALL)
        written(path, TEXT)


@each_change
def test_a_change_of_a_compressed_file_is_named(text, monkeypatch, change):
    data = gzip.compress(os.urandom(400_000).hex(" ", 8).encode())
    written(text, data)
    at_block(monkeypatch, 3, lambda: change(text))
    with pytest.raises(CorpusError, match=rf"^{text} was {CHANGES[change]} while"):
        read_text(text, rules=ALL)


@pytest.mark.parametrize("change", [overwrite, extend, shorten], ids=lambda change: change.__name__)
def test_a_change_of_a_file_on_standard_input_is_named(text, monkeypatch, change):
    at_block(monkeypatch, 2, lambda: change(text))
    with open(text) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CorpusError, match=rf"^standard input was {CHANGES[change]} while"):
            read_text("-", rules=ALL)


@each_change
def test_a_change_of_a_table_is_named(tmp_path, monkeypatch, change):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table"
    parquet.write_table(arrow.table({"text": TEXT.decode().splitlines()}), path)
    os.utime(path, ns=(0, 0))
    at_block(monkeypatch, 1, lambda: change(path))
    with pytest.raises(CorpusError, match=rf"^{path} was {CHANGES[change]} while"):
        read_text(path, rules=ALL)


@each_change
def test_a_change_between_the_check_and_the_read_is_named(text, change):
    found = find_sources(text)
    change(text)
    with pytest.raises(CorpusError, match=rf"^{text} was {CHANGES[change]} while"):
        read_text(found, rules=ALL)


def test_a_change_stops_a_tokenizer_too(text):
    def changing(line):
        extend(text)
        return line.split()

    with pytest.raises(CorpusError, match="was extended from"):
        read_text(text, rules=ALL, tokenizer=changing)


def test_models_and_phrases_are_not_made_of_a_changed_file(text, tmp_path, monkeypatch, capsys):
    at_block(monkeypatch, 3, lambda: replace(text))
    with pytest.raises(CorpusError, match="was replaced"):
        Word2Vec(corpus_file=text, vector_size=4, min_count=1, workers=1)
    for make in (
        lambda: cli.main(["train", str(text), "-o", str(tmp_path / "v.txt"), "--workers", "1"]),
        lambda: cli.main(["phrases", str(text), "-o", str(tmp_path / "v.txt")]),
    ):
        with monkeypatch.context() as patch:
            at_block(patch, 3, lambda: extend(text))
            assert make() == 3
        assert "was extended from" in capsys.readouterr().err
        assert not (tmp_path / "v.txt").exists()
    at_block(monkeypatch, 3, lambda: shorten(text))
    with pytest.raises(CorpusError, match="was shortened"):
        Phrases(corpus_file=text, workers=1)


def test_a_file_that_is_shorter_than_it_says_is_named(text, monkeypatch):
    (source,) = find_sources(text)
    monkeypatch.setattr(type(source), "check_unchanged", lambda *_: None)
    shorten(text)
    with pytest.raises(ReadError, match=r"cannot read .*text: it shrank while it was read"):
        read_text([source], rules=ALL)


def test_pipes_and_files_that_stay_are_read(text, tmp_path):
    assert read_text([text, text], rules=ALL).n_tokens_read == 2 * len(TEXT) // 2
    assert read_text(find_sources(text), rules=ALL).n_tokens_read == len(TEXT) // 2
