"""What is not text is refused by name; a UTF-8 byte order mark is dropped."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import random
import sys
import tarfile
import zipfile

import numpy as np
import pytest

from fastw2v import KeyedVectors, Phrases, Word2Vec, cli
from fastw2v.base.content import HEAD_BYTES, check_start, not_text, not_vectors
from fastw2v.base.word_counts import read_word_counts, write_word_counts
from fastw2v.corpus import VocabularyRules, read_text, scan
from fastw2v.errors import CheckpointError, CorpusError, ModelFormatError, SaveError
from fastw2v.formats import WordVectors, detect_format, read_vectors, write_vectors
from fastw2v.vectors.task_files import TaskFile

ALL = VocabularyRules(min_count=1)
MARK = b"\xef\xbb\xbf"
WORDS = [b"w%d" % (7 * i % 40) for i in range(8 * 99)]
LINES = b"".join(b" ".join(WORDS[i : i + 8]) + b"\n" for i in range(0, len(WORDS), 8))
VECTORS = b"2 2\ncat 1 2\ndog 3 4\n"
RUSSIAN = "Слова и ещё слова\nв нескольких строках текста\n" * 20


def archive(kind, **members):
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as packed:
            for name, data in members.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(fileobj=file, mode="w", format=kind) as packed:
            for name, data in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                packed.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def old_tar():
    """Return an archive without the magic number `ustar`, as before 1988."""
    data = bytearray(archive(tarfile.USTAR_FORMAT, a=LINES))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


NOT_TEXT = {
    "utf-16": (LINES.decode().encode("utf-16"), "UTF-16 text"),
    "utf-16-be": (LINES.decode().encode("utf-16-be"), "UTF-16 text without a byte order mark"),
    "utf-16-le": (RUSSIAN.encode("utf-16-le"), "UTF-16 text without a byte order mark"),
    "utf-16-short": ("a b\n".encode("utf-16-le"), "UTF-16 text without a byte order mark"),
    "utf-32": (RUSSIAN.encode("utf-32"), "UTF-32 text"),
    "utf-32-be": (LINES.decode().encode("utf-32-be"), "UTF-32 text without a byte order mark"),
    "utf-32-le": (RUSSIAN.encode("utf-32-le"), "UTF-32 text without a byte order mark"),
    "zip": (archive("zip", a=LINES, b=LINES), "a zip archive"),
    "zip of nothing": (archive("zip"), "a zip archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(30), "a 7z archive"),
    "rar": (b"Rar!\x1a\x07\x01\0" + LINES, "a RAR archive"),
    "ustar": (archive(tarfile.USTAR_FORMAT, a=LINES), "a tar archive"),
    "gnu tar": (archive(tarfile.GNU_FORMAT, a=VECTORS, b=LINES), "a tar archive"),
    "old tar": (old_tar(), "a tar archive"),
    "tar.gz": (gzip.compress(archive(tarfile.PAX_FORMAT, a=LINES)), "a tar archive"),
    "tar.xz": (lzma.compress(old_tar()), "a tar archive"),
    "zip.bz2": (bz2.compress(archive("zip", a=LINES)), "a zip archive"),
    "gz.gz": (gzip.compress(gzip.compress(LINES)), "gzip data within compressed data"),
    ".Z": (b"\x1f\x9d\x90" + LINES, "compressed by compress (.Z)"),
    "lzma": (lzma.compress(LINES, lzma.FORMAT_ALONE), "compressed by lzma"),
    "lz4": (b"\x04\x22\x4d\x18" + LINES, "compressed by lz4"),
    "old lz4": (b"\x02\x21\x4c\x18" + LINES, "compressed by lz4"),
    "pdf": (b"%PDF-1.7\n" + LINES, "a PDF"),
    **{f"pickle {i}": (pickle.dumps(["a"], i), "a Python pickle") for i in (0, 2, 3, 4, 5)},
    "pickled object": (pickle.dumps(random.Random(), 0), "a Python pickle"),
    "numpy": (saved(np.zeros(3)), "a NumPy file"),
    "arrow": (b"ARROW1\0\0" + LINES, "an Arrow file"),
}
each_content = pytest.mark.parametrize(("data", "name"), NOT_TEXT.values(), ids=NOT_TEXT)


@each_content
def test_a_corpus_that_is_not_text_is_refused_by_name(tmp_path, monkeypatch, data, name):
    path = tmp_path / "a"
    path.write_bytes(data)
    (tmp_path / "0").write_bytes(LINES)
    for corpus in (path, [tmp_path / "0", path], str(tmp_path / "*")):
        with pytest.raises(CorpusError) as caught:
            read_text(corpus, rules=ALL)
        assert str(caught.value).startswith(f"{path}: {name}")
        assert "allow_binary" in str(caught.value)
    with open(path, "rb") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CorpusError) as caught:
            read_text("-", rules=ALL)
    assert str(caught.value).startswith(f"standard input: {name}")
    assert read_text(path, rules=ALL, allow_binary=True).n_tokens_read > 0


@each_content
def test_vectors_vocabularies_and_tasks_that_are_not_text_are_refused_by_name(tmp_path, data, name):
    path = tmp_path / "a"
    path.write_bytes(data)
    vectors = [detect_format, KeyedVectors.read, KeyedVectors.load_word2vec_format]
    for read in (*vectors, lambda path: read_vectors(path, "glove"), read_word_counts):
        with pytest.raises(ModelFormatError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: {name}")
    for read in (TaskFile(path).questions, lambda: list(TaskFile(path).pairs())):
        with pytest.raises(CorpusError) as caught:
            read()
        assert str(caught.value).startswith(f"{path}: {name}")


@pytest.mark.parametrize("format", ["native", "fasttext", "bin", "parquet"])
def test_models_as_a_corpus_are_refused_by_name(tmp_path, format):
    if format == "parquet":
        pytest.importorskip("pyarrow")
    rng = np.random.default_rng(1)
    words = [f"w{i}" for i in range(99)]
    path = tmp_path / "v"
    write_vectors(path, WordVectors(words, rng.normal(size=(99, 20)).astype("f")), format)
    assert detect_format(path) == format
    packed = tmp_path / "v.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    name = {"native": "safetensors", "fasttext": "fastText", "bin": "word2vec",
            "parquet": "Parquet"}[format]  # fmt: skip
    for corpus in (packed, path)[: 1 if format == "parquet" else 2]:
        with pytest.raises(CorpusError, match=rf"^{corpus}: .*{name}"):
            read_text(corpus, rules=ALL)


def test_a_name_promises_compression_only_for_what_can_be_text(tmp_path):
    (tmp_path / "a.gz").write_bytes(archive("zip", a=LINES))
    with pytest.raises(CorpusError, match=r"a\.gz: a zip archive; unpack it first"):
        read_text(tmp_path / "a.gz", rules=ALL)


@pytest.mark.parametrize("position", [0, 1, 500, 1003, 2000, 5000, len(LINES) * 40 - 1])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("tokenizer", [None, str.split])
def test_a_nul_byte_is_named_with_its_offset(tmp_path, monkeypatch, position, pack, tokenizer):
    monkeypatch.setattr(scan, "BLOCK_BYTES", 1001)
    data = bytearray(LINES * 40)
    data[position] = 0
    path = tmp_path / "text"
    path.write_bytes(pack(MARK + data))
    where = " after decompression" if pack is gzip.compress else ""
    message = rf"^{path}: byte {position + 3}{where} is NUL, which text does not contain \(set"
    with pytest.raises(CorpusError, match=message):
        read_text(path, rules=ALL, tokenizer=tokenizer, threads=2)
    corpus = read_text(path, rules=ALL, tokenizer=tokenizer, allow_binary=True)
    assert corpus.n_tokens_read in range(8 * 99 * 40 - 1, 8 * 99 * 40 + 1)


def test_nul_bytes_from_standard_input_and_in_parquet(tmp_path, monkeypatch):
    path = tmp_path / "text"
    path.write_bytes(LINES + b"a\0b\n")
    with open(path) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CorpusError, match=rf"^standard input: byte {len(LINES) + 1} is NUL"):
            read_text("-", rules=ALL)


def test_words_with_nul_bytes_from_python_are_trained(tmp_path):
    model = Word2Vec([["a\0b", "c"]] * 9, min_count=1, vector_size=4, workers=1)
    assert set(model.wv.index_to_key) == {"a\0b", "c"}
    model.wv.save_word2vec_format(tmp_path / "v.txt")
    assert set(KeyedVectors.read(tmp_path / "v.txt").index_to_key) == {"a\0b", "c"}
    model.vocabulary.save(tmp_path / "vocabulary")
    assert read_word_counts(tmp_path / "vocabulary") == {"a\0b": 9, "c": 9}


def test_text_in_any_other_encoding_is_text():
    for encoding in ("utf-8", "cp1251", "koi8-r", "iso-8859-5"):
        assert not_text(RUSSIAN.encode(encoding)[:HEAD_BYTES]) == ""
    for text in (b"", b"\n", b"a", b"PK", b"12 34\nfive six\n", b"c\nd\n", b"(l\n", b"BZh", LINES):
        assert not_text(text) == not_vectors(text) == ""
    assert not_text(LINES[:HEAD_BYTES].replace(b"w1", b"w\0")) == ""  # left to the search for NUL


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["train", "a", "-o", "v.txt"], 3),
        (["train", "text", "a", "-o", "v.txt"], 3),
        (["train", "text", "-o", "v.txt", "--validation", "a"], 3),
        (["train", "text", "-o", "v.txt", "--read-vocab", "a"], 7),
        (["train", "text", "-o", "v.txt", "--init-from", "a"], 7),
        (["train", "text", "-o", "v.txt", "--freeze", "a"], 4),
        (["train", "text", "-o", "v.txt", "--config", "a"], 2),
        (["phrases", "a", "-o", "v.txt"], 3),
        (["phrases", "text", "-o", "v.txt", "--connector-words", "a"], 4),
        (["info", "a"], 7),
    ],
)
def test_the_command_line_names_what_it_was_given(tmp_path, monkeypatch, capsys, args, code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_bytes(LINES)
    (tmp_path / "a").write_bytes(NOT_TEXT["utf-16"][0])
    assert cli.main(args) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fastw2v: error: a: UTF-16 text; convert it to UTF-8 text first")
    assert not (tmp_path / "v.txt").exists()


def test_allow_binary_reads_what_is_not_text(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = archive("zip", a=LINES)
    (tmp_path / "a").write_bytes(data)
    n_tokens = len(data.split())
    settings = {"min_count": 1, "vector_size": 4, "workers": 1, "epochs": 1}
    model = Word2Vec(corpus_file="a", allow_binary=True, validation=["a"], **settings)
    assert model.corpus_total_words == n_tokens
    assert Phrases(corpus_file="a", allow_binary=True).corpus_word_count == n_tokens
    assert cli.main(["phrases", "a", "-o", "joined", "--allow-binary"]) == 0
    train = ["train", "a", "--allow-binary", "--min-count", "1", "-q", "-o", "v.safetensors"]
    assert cli.main([*train, "--checkpoint", "run", "--epochs", "1"]) == 0
    with pytest.raises(CheckpointError, match="a zip archive"):
        Word2Vec.resume("run")
    assert Word2Vec.resume("run", allow_binary=True).corpus_total_words == n_tokens
    capsys.readouterr()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000])
def test_a_byte_order_mark_is_dropped_from_each_file(tmp_path, monkeypatch, pack, size):
    monkeypatch.setattr(scan, "BLOCK_BYTES", size)
    for name in "abc":
        (tmp_path / name).write_bytes(pack(MARK + b"cat dog\ncat " + name.encode()))
    (tmp_path / "d").write_bytes(pack(MARK))
    seen = []
    corpus = read_text(tmp_path / "*", rules=ALL, progress=lambda *numbers: seen.append(numbers))
    assert corpus.vocabulary.words == ["cat", "dog", "a", "b", "c"]
    assert corpus.n_bytes_read == 3 * len("cat dog\ncat a")
    lines = read_text(tmp_path / "a", rules=ALL, tokenizer=str.split)
    assert lines.vocabulary.words == ["cat", "dog", "a"]
    with open(tmp_path / "a") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert read_text("-", rules=ALL).vocabulary.words == ["cat", "dog", "a"]
    with pytest.raises(CorpusError, match="contains no words"):
        read_text(tmp_path / "d", rules=ALL)


def test_a_byte_order_mark_elsewhere_is_part_of_a_word(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb cat " + MARK + b"\n" + MARK + b"dog")
    words = read_text(path, rules=ALL).vocabulary.words
    assert words == ["\udcef\udcbb", "cat", "\ufeff", "\ufeffdog"]


@pytest.mark.parametrize("format", ["text", "vec", "glove", "bin", "tsv"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_before_vectors_is_dropped(tmp_path, format, pack):
    suffix = {"vec": ".vec", "tsv": ".tsv"}.get(format, ".txt")
    path = tmp_path / f"v{suffix}"
    written = WordVectors(["cat", "dog"], np.array([[1, 2], [3, 4.5]], "f"))
    write_vectors(path, written, format)
    for file in os.listdir(tmp_path):
        (tmp_path / file).write_bytes(pack(MARK + (tmp_path / file).read_bytes()))
    assert detect_format(path) == format
    for found in (read_vectors(path), read_vectors(path, format), read_vectors(path, limit=2)):
        assert found.words == written.words
        np.testing.assert_array_equal(found.vectors, written.vectors)


def test_a_byte_order_mark_before_vocabularies_tasks_and_settings_is_dropped(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    texts = {
        "text": "cat dog\n" * 20,
        "words": "cat\n",
        "vocabulary": "cat 20\ndog 20\n",
        "analogies": ": all\ncat dog dog cat\n",
        "similar": "cat\tdog\t1\n",
        "commented": "# a comment\ncat\tdog\t1\n",
        "run.toml": "vector_size = 7\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(MARK + text.encode())
    assert read_word_counts("vocabulary") == {"cat": 20, "dog": 20}
    assert TaskFile("analogies").questions(False) == [("all", [("cat", "dog", "dog", "cat")])]
    assert list(TaskFile("similar", "utf-8").pairs(False)) == [("cat", "dog", 1.0)]
    assert list(TaskFile("commented", "latin-1").pairs(False)) == [("cat", "dog", 1.0)]
    train = ["train", "text", "-o", "v.safetensors", "--config", "run.toml", "--workers", "1"]
    assert cli.main([*train, "--read-vocab", "vocabulary", "--freeze", "words", "-q"]) == 0
    assert KeyedVectors.load("v.safetensors").vectors.shape == (2, 7)
    assert cli.main(["phrases", "text", "-o", "joined", "--connector-words", "words"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeffcat\ndog\n"))
    assert cli.main(["nn", "v.safetensors", "--json"]) == 0
    assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 2


def test_a_task_file_in_utf_16_is_read_if_that_is_its_encoding(tmp_path):
    (tmp_path / "pairs").write_bytes("cat dog 1\n".encode("utf-16"))
    assert list(TaskFile(tmp_path / "pairs", "utf-16").pairs(False)) == [("cat", "dog", 1.0)]


@pytest.mark.parametrize("word", ["\ufeffcat", "PK\x03\x04", "\x1f\udc8b\x08", "%PDF-"])
def test_a_first_word_that_would_be_read_as_something_else_is_not_written(tmp_path, word):
    vectors = WordVectors([word, "dog"], np.eye(2, dtype="f"))
    for format, name in (("glove", "v.txt"), ("tsv", "v.tsv")):
        with pytest.raises(SaveError, match=r"cannot write .*: it would begin like "):
            write_vectors(tmp_path / name, vectors, format)
    with pytest.raises(SaveError, match="it would begin like"):
        write_word_counts(tmp_path / "counts", [word, "dog"], [2, 1])
    assert os.listdir(tmp_path) == []
    write_vectors(tmp_path / "v.txt", vectors, "text")
    assert read_vectors(tmp_path / "v.txt").words == [word, "dog"]
    check_start("v", b"cat")
