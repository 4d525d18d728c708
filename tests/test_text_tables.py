"""Columns of JSON lines, CSV and TSV files, plain, compressed and piped."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys

import pytest
from cli_case import fails
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sentences import decoded

from fastw2v import Tokenizer, Word2Vec, cli
from fastw2v.corpus import VocabularyRules, read_text, text_tables
from fastw2v.errors import CorpusError, ReadError, UsageError
from fastw2v.formats import read_vectors

ALL = VocabularyRules(min_count=1)
TEXTS = ["a b  a", "", 'say "c, d"', "b\ta\nb", "caf\u00e9 \u4e2d", "x y " * 50_000]
EXPECTED = [text.split() for text in TEXTS if text]
PACKED = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def as_json(texts):
    return "".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(texts))


def as_csv(texts, delimiter=","):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([("id", "text"), *enumerate(texts)])
    return file.getvalue()


WRITTEN = {".jsonl": as_json, ".csv": as_csv, ".tsv": lambda texts: as_csv(texts, "\t")}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sentences_of(paths, column="text", **how):
    return decoded(read_text(paths, rules=ALL, column=column, **how))


@pytest.mark.parametrize("suffix", WRITTEN)
@pytest.mark.parametrize("packed", PACKED)
def test_a_column_is_read_from_plain_and_compressed_files(folder, suffix, packed):
    name = f"data{suffix}{packed}"
    (folder / name).write_bytes(PACKED[packed](WRITTEN[suffix](TEXTS).encode()))
    assert sentences_of(name) == EXPECTED
    assert sentences_of([name, name], tokenizer=Tokenizer("words"))[1] == ["say", "c", "d"]
    assert sentences_of(name, tokenizer=str.split, lowercase=True) == EXPECTED


@pytest.mark.parametrize("suffix", WRITTEN)
def test_pieces_of_any_size_give_the_same(folder, monkeypatch, suffix):
    (folder / f"data{suffix}").write_text(WRITTEN[suffix](TEXTS[:-1]), "utf-8")
    monkeypatch.setattr("fastw2v.corpus.cells.TEXT_BYTES", 3)
    read = text_tables.SourceReader.read
    monkeypatch.setattr(text_tables.SourceReader, "read", lambda self: read(self, 7))
    assert sentences_of(f"data{suffix}") == EXPECTED[:-1]


@given(texts=st.lists(st.text(st.characters(blacklist_characters="\0"), max_size=20), max_size=6))
@settings(max_examples=50)
def test_any_text_is_read_as_it_was_written(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("any")
    texts.append("end")
    expected = [s for text in texts if (s := text_as_bytes(text).split())]
    for suffix, write in WRITTEN.items():
        if suffix != ".jsonl" and any(map(has_surrogates, texts)):
            continue
        path = folder / f"data{suffix}"
        path.write_bytes(write(texts).encode("utf-8", "surrogatepass"))
        found = [[w.encode("utf-8", "surrogateescape") for w in s] for s in sentences_of(path)]
        assert found == expected


def has_surrogates(text):
    return any("\ud800" <= c < "\ue000" for c in text)


def text_as_bytes(text):
    """UTF-8; a surrogate escape is its byte, and any other surrogate takes three bytes."""
    return b"".join(
        c.encode("utf-8", "surrogateescape" if "\udc80" <= c < "\udd00" else "surrogatepass")
        for c in text
    )


def test_lists_of_words_are_read_from_json_lines(folder):
    cells = [["a b", "c"], None, [], [7]]
    (folder / "data.jsonl").write_text(as_json(cells))
    assert sentences_of("data.jsonl") == [["a b", "c"], ["7"]]
    assert sentences_of("data.jsonl", tokenizer=Tokenizer("words")) == [["a b", "c"], ["7"]]


def test_empty_cells_and_blank_lines_are_no_sentences(folder):
    (folder / "data.jsonl").write_text('\n{"text": null}\n  \r\n{"text": "a b"}\r\n{"text": ""}')
    assert sentences_of("data.jsonl") == [["a", "b"]]
    (folder / "data.csv").write_text("\ufefftext,id\r\na b,1\r\n\r\n,2", "utf-8")
    assert sentences_of("data.csv") == [["a", "b"]]


GOOD = '{"text": "a b"}\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.jsonl", GOOD + "{text}\n", "x.jsonl, line 2 is not JSON: Expecting property name"),
        ("x.jsonl", GOOD + "\n" + "[" * 10**5, "x.jsonl, line 3 is not JSON: "),
        ("x.jsonl", GOOD + '["a"]', "x.jsonl, line 2: expected a JSON object, got ['a']"),
        ("x.jsonl", GOOD + '{"id": 1, "t": 2}', "x.jsonl, line 2: there is no 'text', only id, t"),
        ("x.jsonl", GOOD + '{"text": 3}', "x.jsonl, line 2: 'text' must be a text, got 3"),
        ("x.jsonl", '{"text": 3}', "x.jsonl, line 1: 'text' must be a text or a list of words, g"),
        ("x.jsonl", GOOD + '{"text": ["a"]}', "x.jsonl, line 2: 'text' must be a text, got ['a']"),
        ("x.json", "[\n" + GOOD + "]", "x.json, line 1 is not JSON: "),
        ("x.csv", "id,text\n1,a,b\n", "x.csv, line 2: 3 fields, but the first line has 2"),
        ("x.csv", 'id,text\n1,"a"b\n', "x.csv, line 2: ',' expected after '\"'"),
        ("x.csv", 'id,text\n1,"a\nb\n', "x.csv, line 3: unexpected end of data"),
        ("x.tsv", "id\ttext\n1\n", "x.tsv, line 2: 1 fields, but the first line has 2"),
        ("x.jsonl", GOOD + "\0", "x.jsonl: byte 16 is NUL"),
        ("x.jsonl", "", "the corpus contains no words"),
        ("x.csv", "id,text\n1,\n", "corpus x.csv contains no words"),
    ],
)
def test_a_malformed_line_is_an_error_that_names_file_and_line(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(CorpusError) as caught:
        sentences_of(name)
    assert str(caught.value).startswith(message)


def test_a_line_without_end_is_an_error(folder):
    (folder / "x.jsonl").write_bytes(b'{"text": "' + b"a " * (1 << 24))
    with pytest.raises(CorpusError, match=r"^x.jsonl, line 1: it has more than 16,777,216 bytes$"):
        sentences_of("x.jsonl")
    (folder / "x.csv").write_bytes(b'text\n"' + b"a\n" * (1 << 24))
    with pytest.raises(CorpusError, match=r"^x.csv, line \d+: field larger than field limit"):
        sentences_of("x.csv")


def test_what_is_no_such_table_is_a_usage_error(folder):
    (folder / "text").write_text("a b\n")
    (folder / "x.csv").write_text("id,text\n")
    (folder / "x.jsonl").write_text(GOOD)
    with pytest.raises(UsageError, match=r"^column is for .*\.csv.*, but text is none of them$"):
        sentences_of(["x.csv", "text"])
    with pytest.raises(UsageError, match=r"^column must be one of id, text in x.csv, got 'body'$"):
        sentences_of("x.csv", "body")
    with pytest.raises(UsageError, match=r"^x.jsonl holds JSON: set column to the key of its tex"):
        sentences_of("x.jsonl", None)
    with pytest.raises(ReadError, match="after 0 bytes of text: the gzip data is"):
        (folder / "x.csv.gz").write_bytes(gzip.compress(b"text\na")[:15])
        sentences_of("x.csv.gz")


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_pipe_is_known_by_its_first_line(folder, suffix):
    code = "from fastw2v.cli import main; raise SystemExit(main())"
    args = [
        "train",
        "-",
        "-o",
        "v",
        "--column",
        "text",
        "--min-count",
        "1",
        "--tokenizer",
        "simple",
    ]
    text = WRITTEN[suffix](["The CAT, the hat."] * 9)
    shown = subprocess.run(
        [sys.executable, "-c", code, *args, "--tokenizer", "simple", "--sample", "0", "-q"],
        input=text.encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert sorted(read_vectors("v").words) == ["cat", "hat", "the"]


def test_the_command_and_the_class_read_columns(folder, capsys):
    (folder / "x.jsonl").write_text(as_json(["a b a b"] * 20))
    settings = {"vector_size": 4, "sample": 0, "workers": 1, "epochs": 1}
    model = Word2Vec(corpus_file="x.jsonl", column="text", **settings)
    assert sorted(model.wv.index_to_key) == ["a", "b"]
    args = ["train", "x.jsonl", "-o", "v", "--column", "text", "--vector-size", "4", "-q"]
    assert cli.main([*args, "--sample", "0"]) == 0
    (folder / "x.jsonl").write_text(GOOD + "{\n")
    message = "x.jsonl, line 2 is not JSON: Expecting property name enclosed in double quotes: "
    fails(capsys, [*args[:3], "new", *args[4:]], 3, message + "line 1 column 2 (char 1)")
