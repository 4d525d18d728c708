import json
import os

import numpy as np
import pytest
from format_case import ONE_FILE
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastw2v.base.content import check_start
from fastw2v.errors import ReadError, SaveError, UsageError
from fastw2v.formats import (
    WordVectors,
    detect_format,
    read_vectors,
    word2vec_binary,
    write_vectors,
)
from fastw2v.formats.records import format_of_suffix

SUFFIX = {"native": ".safetensors", "text": ".txt", "bin": ".bin",
          "vec": ".vec", "glove": ".glove",
          "fasttext": ".bin"}  # fmt: skip

any_word = st.binary(max_size=12).map(lambda word: word.decode("utf-8", "surrogateescape"))
plain_word = any_word.filter(lambda word: word and " " not in word and "\n" not in word)
WORDS = {
    "native": any_word,
    "fasttext": any_word.filter(lambda word: "\0" not in word),
    "glove": plain_word.filter(
        lambda word: begins_like_text(word.encode("utf-8", "surrogateescape"))
    ),
}


def begins_like_text(word):
    try:
        check_start("", word)
    except SaveError:
        return False
    return True


@st.composite
def word_vectors(draw, words):
    words = draw(st.lists(words, min_size=1, max_size=6, unique=True))
    shape = (len(words), draw(st.integers(1, 5)))
    return WordVectors(words, draw(hnp.arrays(np.float32, shape, elements=st.floats(width=32))))


def assert_same(read, written):
    assert read.words == written.words
    np.testing.assert_array_equal(read.vectors, written.vectors, strict=True)


@pytest.mark.parametrize("format", ONE_FILE)
@given(data=st.data())
@settings(max_examples=40)
def test_every_format_gives_back_any_bytes_and_any_floats(tmp_path_factory, format, data):
    written = data.draw(word_vectors(WORDS.get(format, plain_word)))
    path = tmp_path_factory.mktemp("formats") / f"v{SUFFIX[format]}"
    write_vectors(path, written, format)
    assert_same(read_vectors(path, format, allow_non_finite=True), written)


@pytest.fixture
def written(rng):
    words = ["the", "naïve", "\udcff\udc80", "中文", "x" * 300]
    padded = rng.normal(size=(5, 16)).astype(np.float32)
    return WordVectors(words, padded[:, :7], counts=np.array([9, 7, 5, 3, 2**40]))


@pytest.mark.parametrize("format", ONE_FILE)
def test_the_content_tells_the_format(tmp_path, written, format):
    path = tmp_path / f"v{'.vec' if format == 'vec' else ''}"
    write_vectors(path, written, format)
    assert detect_format(path) == format
    assert_same(read_vectors(path), written)


@pytest.mark.parametrize("format", ONE_FILE)
def test_limit_reads_the_first_rows_only(tmp_path, written, format):
    path = tmp_path / "v"
    write_vectors(path, written, format)
    for limit in (0, 1, 3, 99):
        expected = WordVectors(written.words[:limit], written.vectors[:limit])
        assert_same(read_vectors(path, format, limit=limit), expected)


@pytest.mark.parametrize("format", ONE_FILE)
def test_any_format_converts_to_any_other_without_loss(tmp_path, written, format):
    for other in ONE_FILE:
        write_vectors(tmp_path / "a", written, format)
        write_vectors(tmp_path / "b", read_vectors(tmp_path / "a", format), other)
        assert_same(read_vectors(tmp_path / "b", other), written)


def test_bytes_on_disk_are_those_of_the_peers(tmp_path):
    two = WordVectors(["a", "b"], np.array([[0.5, -1e-5], [3, 0.1]], np.float32))
    floats = two.vectors.tobytes()
    expected = {
        "text": b"2 2\na 0.5 -1e-05\nb 3.0 0.1\n",
        "vec": b"2 2\na 0.5 -1e-05 \nb 3.0 0.1 \n",
        "glove": b"a 0.5 -1e-05\nb 3.0 0.1\n",
        "bin": b"2 2\na " + floats[:8] + b"\nb " + floats[8:] + b"\n",
    }
    for format, content in expected.items():
        write_vectors(tmp_path / "v", two, format)
        assert (tmp_path / "v").read_bytes() == content
    word2vec_binary.write(tmp_path / "v", two, newline=False)
    assert (tmp_path / "v").read_bytes() == b"2 2\na " + floats[:8] + b"b " + floats[8:]
    assert_same(read_vectors(tmp_path / "v"), two)


def test_text_of_word2vec_c_is_read(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"2 3\n</s> 0.004003 0.004419 -0.003830 \nthe 1.000000 nan -inf \n")
    read = read_vectors(path, allow_non_finite=True)
    assert read.words == ["</s>", "the"]
    expected = np.array([[0.004003, 0.004419, -0.00383], [1, np.nan, -np.inf]], np.float32)
    np.testing.assert_array_equal(read.vectors, expected)


def test_text_with_windows_line_ends_and_blank_lines_after_it_is_read(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"1 2\r\nword 1 2\r\n\r\n\n")
    assert read_vectors(path).words == ["word"]


def test_glove_words_may_hold_spaces(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"the 1 2\n. . . 3 4\n")
    read = read_vectors(path)
    assert read.words == ["the", ". . ."]
    np.testing.assert_array_equal(read.vectors, np.array([[1, 2], [3, 4]], np.float32))


def test_a_binary_row_that_starts_with_a_newline_byte_is_not_taken_for_text(tmp_path):
    floats = np.frombuffer(b"\n\n\n\n2 3\n", "<f4").astype(np.float32)
    write_vectors(tmp_path / "v", WordVectors(["a"], floats.reshape(1, 2)), "bin")
    assert detect_format(tmp_path / "v") == "bin"


@pytest.mark.parametrize("format", ["text", "bin", "vec", "glove"])
@pytest.mark.parametrize("word", ["", "two words", "new\nline"])
def test_a_word_that_a_format_cannot_hold_is_named_before_anything_is_written(
    tmp_path, format, word
):
    bad = WordVectors(["fine", word], np.zeros((2, 2), np.float32))
    with pytest.raises(SaveError, match="cannot hold the word") as error:
        write_vectors(tmp_path / "v", bad, format)
    assert repr(word) in str(error.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", ONE_FILE)
@pytest.mark.parametrize(
    ("words", "message"),
    [(["a", "a"], "'a' occurs twice"), (["é", "\udcc3\udca9"], "twice"), (["\ud800", "a"], "d800")],
)
def test_words_that_no_file_can_give_back_are_refused(tmp_path, format, words, message):
    with pytest.raises(SaveError, match=message):
        write_vectors(tmp_path / "v", WordVectors(words, np.zeros((2, 2), np.float32)), format)
    assert os.listdir(tmp_path) == []


def test_repeated_words_are_left_out_and_counted(tmp_path):
    (tmp_path / "v").write_bytes(b"3 1\na 1\nb 2\na 3\n")
    with pytest.warns(UserWarning, match="1 of 3 rows repeat an earlier word .*'a'"):
        read = read_vectors(tmp_path / "v")
    assert read.words == ["a", "b"]
    np.testing.assert_array_equal(read.vectors, np.array([[1], [2]], np.float32))


@pytest.mark.parametrize("format", [*ONE_FILE, None])
def test_a_file_that_cannot_be_read_is_named(tmp_path, format):
    for path in (tmp_path / "missing", tmp_path, tmp_path / "missing" / "deeper"):
        with pytest.raises(ReadError, match=f"cannot read {path}: ") as error:
            read_vectors(path, format)
        assert "\n" not in str(error.value)


def test_impossible_requests_are_usage_errors(tmp_path, written):
    write_vectors(tmp_path / "v.txt", written, "text")
    with pytest.raises(UsageError, match="format must be one of native, text, bin, vec"):
        read_vectors(tmp_path / "v.txt", "pickle")
    with pytest.raises(UsageError, match="only native and gensim files can be memory-mapped"):
        read_vectors(tmp_path / "v.txt", mmap=True)
    with pytest.raises(UsageError, match="limit must be at least 0, got -1"):
        read_vectors(tmp_path / "v.txt", limit=-1)
    with pytest.raises(UsageError, match=r"no format has the suffix '.csv'; known: .safetensors"):
        format_of_suffix("v.csv.gz")
    assert format_of_suffix("v.txt.GZ") == "text"
    assert format_of_suffix("dir.txt/V.BIN") == "bin"


def test_arrays_that_disagree_are_refused():
    with pytest.raises(ValueError, match=r"vectors must be float32 of shape \(1, any\)"):
        WordVectors(["a"], np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match="counts must be int64"):
        WordVectors(["a"], np.zeros((1, 3), np.float32), counts=np.zeros(1))


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_and_writes_the_same_bytes(tmp_path, written, binary):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(vector_size=7)
    words = [word for word in written.words if word.isprintable()]
    rows = written.vectors[[written.words.index(word) for word in words]]
    theirs.add_vectors(words, rows)
    theirs.save_word2vec_format(tmp_path / "theirs", binary=binary)
    ours = read_vectors(tmp_path / "theirs")
    assert_same(ours, WordVectors(words, rows))
    if binary:
        word2vec_binary.write(tmp_path / "ours", ours, newline=False)
    else:
        write_vectors(tmp_path / "ours", ours, "text")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    write_vectors(tmp_path / "ours", ours, "bin" if binary else "text")
    again = models.KeyedVectors.load_word2vec_format(tmp_path / "ours", binary=binary)
    assert_same(WordVectors(again.index_to_key, again.vectors), ours)


def test_settings_that_json_cannot_hold_are_refused(tmp_path, written):
    written.settings = {"a": object()}
    with pytest.raises(UsageError, match="settings cannot be saved as JSON"):
        write_vectors(tmp_path / "v", written, "native")
    written.settings = json.loads('{"window": 5, "note": "\\udcff"}')
    write_vectors(tmp_path / "v", written, "native")
    assert read_vectors(tmp_path / "v").settings == written.settings
