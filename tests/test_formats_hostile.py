import contextlib
import gzip
import json
import struct
import tracemalloc

import numpy as np
import pytest
from damage import damage
from format_case import ONE_FILE
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from fastw2v import KeyedVectors
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, fasttext_bin, read_vectors, write_vectors


@pytest.fixture
def small(rng):
    vectors = rng.normal(size=(3, 2)).astype(np.float32)
    return WordVectors(["the", "of", "né"], vectors, counts=np.array([3, 2, 1]))


@pytest.mark.parametrize("format", ONE_FILE)
def test_a_file_cut_off_anywhere_is_a_model_format_error(tmp_path, small, format):
    path = tmp_path / "v"
    write_vectors(path, small, format)
    whole = path.read_bytes()
    # gensim writes no last newline in binary files; a headerless file has no fixed end.
    valid = {"bin": {len(whole) - 1}, "glove": {i + 1 for i, b in enumerate(whole) if b == 10}}
    for n_bytes in range(len(whole)):
        if n_bytes in valid.get(format, ()):
            continue
        path.write_bytes(whole[:n_bytes])
        for given_format in (format, None):
            with pytest.raises(ModelFormatError, match=str(path)):
                read_vectors(path, given_format)


@pytest.mark.parametrize("format", ONE_FILE)
@given(data=st.data())
@settings(max_examples=60)
def test_a_damaged_file_is_read_or_refused_but_never_crashes(tmp_path_factory, format, data):
    path = tmp_path_factory.mktemp("hostile") / "v"
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_vectors(path, WordVectors(["the", "of", "né"], vectors), format)
    damage(data, path)
    for given_format in (format, None):
        try:
            read_vectors(path, given_format)
        except ModelFormatError:
            pass
        except UserWarning as warning:
            assert "repeat an earlier word" in str(warning)


@given(content=st.binary(max_size=200))
@settings(max_examples=60)
def test_arbitrary_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("hostile") / "v"
    path.write_bytes(content)
    # Parquet's first bytes are told to need pyarrow where that is not installed.
    is_parquet = content.startswith(b"PAR1")
    refusals = [ModelFormatError, UserWarning] + [UsageError] * is_parquet
    for format in (*ONE_FILE, None):
        with contextlib.suppress(*refusals):
            read_vectors(path, format)


@pytest.mark.parametrize("format", ["text", "bin", "vec", None])
@pytest.mark.parametrize(
    "header",
    [
        b"9223372036854775807 9223372036854775807\n",
        b"1000000000000 1\n",
        b"1 1000000000000\n",
        b"0 9223372036854775807\n",
        b"3 0\n",
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_asked_for(tmp_path, format, header):
    path = tmp_path / "v"
    path.write_bytes(header + b"a 1 \n")
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError, match="line 1 announces"):
            read_vectors(path, format)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"2 2\na 1 2\nb 1\n", "line 3: expected a word and 2 values, got 1 values"),
        (b"2 2\na 1 2\nb 1 2 3\n", "line 3: expected a word and 2 values, got 3 values"),
        (b"2 2\na 1 2\nb 1 x\n", r"line 3: not 2 numbers: b'1 x'"),
        (b"2 2\na 1 2\nb 1-2 3\n", "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb 1-  3\n", "line 3: expected a word and 2 values, got 3 values"),
        (b"2 2\na 1 2\nb 1 e\n", "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb 1 2", "line 3: no newline at its end"),
        (b"2 2\na 1 2\nb 1 2\nc 1 2\n", "line 4: the file continues after 2 vectors"),
        (b"3 2\na 1 2\nbbbb 1 2\n", "line 4: the file ends after 2 of 3 vectors"),
        (b"a b\na 1 2\n", "line 1 must be `n_words dim`, got b'a b"),
    ],
)
def test_a_malformed_text_line_is_named(tmp_path, content, message):
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(ModelFormatError, match=f"{path}: {message}"):
        read_vectors(path, "text")


ODD_ROWS = [
    (b"2 2\ncat 1,5 2,5\n", r"line 2: not 2 numbers: b'1,5 2,5'"),
    (b"2 2\nn\xe4iv 1,5 2,5\n", r"line 2: not 2 numbers: b'1,5 2,5'"),
    (b"2 2\ncat  1 2\n", "line 2: expected a word and 2 values, .* with a separator too many"),
    (b"2 2\ncat 1  2\n", "line 2: expected a word and 2 values, .* with a separator too many"),
    (b"2 2\n cat 1 2\n", "line 2: expected a word and 2 values, .* with a separator too many"),
    (b"2 2\ncat\t1\t2\n", "line 2: expected a word and 2 values, .* with tabs instead of spaces"),
    (b"2 2\ncat 1\n", "line 2: expected a word and 2 values, got 1 values"),
    (b"2 2\ncat\n", "line 2: expected a word and 2 values, got 0 values"),
    (b"2 2\ncat 1 2 3\n", "line 2: expected a word and 2 values, got 3 values"),
    (b"2 3\ncat 1 2\n", "line 2: expected a word and 3 values, got 2 values"),
    (b"2 2\nnew york 1 x\n", r"line 2: not 2 numbers: b'1 x'"),
    (b"2 2 1\ncat 1 2\n", "line 1 must be"),
    (b"2 3 1\ncat 1 2 3\n", "line 1 must be"),
    (b" 2 2\ncat 1 2\n", "line 1 must be"),
]


@pytest.mark.parametrize("n_more", [1, 100])
@pytest.mark.parametrize(("content", "message"), ODD_ROWS)
def test_an_odd_first_row_is_text_and_its_line_is_named(tmp_path, content, message, n_more):
    path = tmp_path / "v"
    path.write_bytes(content + b"".join(b"w%d 3 4\n" % i for i in range(n_more)))
    for limit in (None, 1):
        with pytest.raises(ModelFormatError, match=f"{path}: {message}"):
            read_vectors(path, limit=limit)


@pytest.mark.parametrize("suffix", ["", ".vec"])
def test_words_with_spaces_are_read_under_a_header(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_bytes(b"3 2\nnew york 1 2\nwindows 95 or 98 3 4\n. . . 5 6\n")
    read = read_vectors(path)
    assert read.words == ["new york", "windows 95 or 98", ". . ."]
    assert read.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_binary_whose_first_line_looks_like_text_stays_binary(tmp_path, rng):
    for start in (b"\n", b"1\n", b" 1\n", b"1 2\n"):
        rows = rng.normal(size=(30, 20)).astype(np.float32)
        row = bytearray(rows.tobytes())
        row[: len(start)] = start
        rows = np.frombuffer(row, np.float32).reshape(30, 20)
        write_vectors(tmp_path / "v", WordVectors([f"w{i}" for i in range(30)], rows), "bin")
        np.testing.assert_array_equal(read_vectors(tmp_path / "v").vectors, rows)


def test_text_is_not_read_as_binary(tmp_path):
    (tmp_path / "v").write_bytes(b"99 2\n" + b"".join(b"w%02d 0.25 0.5\n" % i for i in range(99)))
    with pytest.raises(ModelFormatError, match="line 2 is text, not binary"):
        read_vectors(tmp_path / "v", "bin", limit=1)


@pytest.mark.parametrize("format", ONE_FILE)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_by_its_word(tmp_path, format, value):
    rows = np.ones((5000, 2), np.float32)
    rows[4999, 1] = value
    words = [f"w{i}" for i in range(5000)]
    write_vectors(tmp_path / "v", WordVectors(words, rows), format)
    with pytest.raises(ModelFormatError, match="the vector of 'w4999' is not finite") as caught:
        read_vectors(tmp_path / "v", format)
    assert str(caught.value).startswith(f"{tmp_path / 'v'}: ")
    assert len(read_vectors(tmp_path / "v", format, limit=4999).words) == 4999
    read = read_vectors(tmp_path / "v", format, allow_non_finite=True)
    np.testing.assert_array_equal(read.vectors, rows)


@pytest.mark.parametrize("number", [b"nan", b"-inf", b"1e99", b"-3.5e38", b"1" * 40])
def test_a_number_beyond_float32_is_refused_in_every_reader_of_text(tmp_path, number):
    (tmp_path / "v").write_bytes(b"2 2\ncat 1 " + number + b"\ndog 3 4\n")
    own = KeyedVectors.from_arrays(["cat"], np.ones((1, 2), np.float32))
    for read in (
        read_vectors,
        KeyedVectors.read,
        KeyedVectors.load_word2vec_format,
        own.intersect_word2vec_format,
    ):
        with pytest.raises(ModelFormatError, match="the vector of 'cat' is not finite"):
            read(tmp_path / "v")
    for read in (KeyedVectors.read, KeyedVectors.load_word2vec_format):
        assert not np.isfinite(read(tmp_path / "v", allow_non_finite=True)["cat"][1])


def test_a_vector_beyond_the_type_asked_for_is_refused(tmp_path):
    (tmp_path / "v").write_bytes(b"2 1\ncat 1\ndog 70000\n")
    with pytest.raises(UsageError, match="float16 cannot hold the vector of 'dog'"):
        KeyedVectors.load_word2vec_format(tmp_path / "v", datatype=np.float16)


@pytest.mark.parametrize("scale", [np.nan, np.inf, 3e38])
def test_an_int8_scale_that_is_not_finite_is_refused_by_its_word(tmp_path, scale):
    changes = {
        "vectors": np.full((2, 3), 100, np.int8),
        "vector_scales": np.array([0.01, scale], np.float32),
        "output_vectors": None,
        "output_bias": None,
    }
    save_file(native_tensors(**changes), tmp_path / "v", SOUND)
    for read in (read_vectors, KeyedVectors.load):
        with pytest.raises(ModelFormatError, match="the vector of 'b' is not finite"):
            read(tmp_path / "v")
        assert len(read(tmp_path / "v", allow_non_finite=True).vectors) == 2


def test_mapped_values_are_not_checked(tmp_path):
    vectors = np.array([[1, np.nan]], np.float32)
    write_vectors(tmp_path / "v", WordVectors(["a"], vectors), "native")
    np.testing.assert_array_equal(KeyedVectors.load(tmp_path / "v", mmap=True).vectors, vectors)


ENDLESS = {
    "word": b"2 2\n",
    "word after a row": b"2 2\ncat 1 2\n",
    "binary word": b"2 2\na 1234\0\0\0\1",
    "GloVe": b"cat 1 2\n",
    "first line": b"cat 1 2 ",
    "fastText": fasttext_bin.MAGIC + struct.pack("<i12id3i2q", 12, 2, *[0] * 11, 0, 9, 9, 0, 9, -1),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_an_endless_line_or_word_is_refused_in_little_memory(tmp_path, case):
    path = tmp_path / "v"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(ENDLESS[case])
        for _ in range(128):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError, match=r"(line|byte) \d+.* longer than|a word longer"):
            read_vectors(path)
        assert tracemalloc.get_traced_memory()[1] < 80 << 20
    finally:
        tracemalloc.stop()


def test_words_and_lines_within_the_limits_are_read(tmp_path):
    given = WordVectors(["a", "x" * (1 << 19)], np.ones((2, 2), np.float32))
    for format in ("text", "bin", "glove", "fasttext"):
        write_vectors(tmp_path / "v", given, format)
        assert read_vectors(tmp_path / "v", format).words == given.words


def test_a_malformed_line_is_named_beyond_the_first_block(tmp_path, monkeypatch):
    monkeypatch.setattr("fastw2v.formats.text_rows.BLOCK_BYTES", 100)
    lines = [b"w%d 1 2\n" % i for i in range(1000)]
    lines[700] = b"w700 1 oops\n"
    (tmp_path / "v").write_bytes(b"1000 2\n" + b"".join(lines))
    with pytest.raises(ModelFormatError, match="line 702: not 2 numbers"):
        read_vectors(tmp_path / "v", "text")


def test_binary_that_goes_on_after_the_last_vector_is_refused(tmp_path, small):
    write_vectors(tmp_path / "v", small, "bin")
    with open(tmp_path / "v", "ab") as file:
        file.write(b"more")
    with pytest.raises(ModelFormatError, match=r"byte \d+: continues after 3 vectors"):
        read_vectors(tmp_path / "v")


def native_tensors(**changes):
    """Return the tensors of a sound model of two words, with some replaced or (None) removed."""
    tensors = {
        "vectors": np.zeros((2, 3), np.float32),
        "words": np.frombuffer(b"ab", np.uint8),
        "word_offsets": np.array([0, 1, 2]),
        "counts": np.array([2, 1]),
        "output_vectors": np.zeros((4, 3), np.float32),
        "output_bias": np.zeros(4, np.float32),
        "input_bias": np.zeros(3, np.float32),
        "further.pending_input_bias": np.zeros(3, np.float32),
    }
    return {key: value for key, value in (tensors | changes).items() if value is not None}


SOUND = {"fastw2v": "1", "settings": "{}"}


def test_the_hand_made_native_model_is_sound(tmp_path):
    save_file(native_tensors(), tmp_path / "v", SOUND)
    assert read_vectors(tmp_path / "v").words == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": None}, "no tensor 'vectors'"),
        ({"words": None}, "no tensor 'words'"),
        ({"vectors": np.zeros((2, 3))}, "'vectors' must be F32 of shape .*, got F64"),
        ({"vectors": np.zeros(6, np.float32)}, "'vectors' must be F32"),
        ({"vectors": np.zeros((3, 3), np.float32)}, "'word_offsets' must be I64 of shape .4."),
        ({"word_offsets": np.array([0, 1, 3])}, "word_offsets must rise from 0 to 2"),
        ({"word_offsets": np.array([1, 1, 2])}, "word_offsets must rise from 0 to 2"),
        ({"word_offsets": np.array([0, 5, 2])}, "word_offsets must rise from 0 to 2"),
        ({"word_offsets": np.array([0, -1, 2])}, "word_offsets must rise from 0 to 2"),
        ({"word_offsets": np.array([0, 2**63 - 1, 2])}, "word_offsets must rise from 0 to 2"),
        ({"words": np.frombuffer(b"aa", np.uint8)}, "it contains the same word twice"),
        ({"counts": np.array([1, 2, 3])}, "'counts' must be I64 of shape .2."),
        ({"output_vectors": np.zeros((4, 2), np.float32)}, "'output_vectors' must be F32"),
        ({"output_bias": np.zeros(3, np.float32)}, "'output_bias' must be F32 of shape .4."),
        ({"input_bias": np.zeros(4, np.float32)}, "'input_bias' must be F32 of shape .3."),
        ({"further.pending_input_bias": np.zeros(1, np.float32)}, "bias' must be F32 of shape .3."),
    ],
)
def test_a_native_model_whose_tensors_disagree_is_refused(tmp_path, changes, message):
    save_file(native_tensors(**changes), tmp_path / "v", SOUND)
    for mmap in (False, True):
        with pytest.raises(ModelFormatError, match=message):
            read_vectors(tmp_path / "v", mmap=mmap)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "not a fastw2v model"),
        ({"format": "pt"}, "not a fastw2v model"),
        ({"fastw2v": "2"}, "layout version '2', .* update fastw2v"),
        ({"fastw2v": "1", "settings": "[]"}, "settings are not a JSON object"),
        ({"fastw2v": "1", "settings": "{"}, "settings are not a JSON object"),
        ({"fastw2v": "1", "settings": "[" * 100000}, "settings are not a JSON object"),
    ],
)
def test_a_native_model_with_strange_metadata_is_refused(tmp_path, metadata, message):
    save_file(native_tensors(), tmp_path / "v", metadata)
    with pytest.raises(ModelFormatError, match=message):
        read_vectors(tmp_path / "v")


def write_header(path, tensors, metadata):
    """Write a safetensors file of these {name: (dtype, shape, n_bytes)}, with data of zeros."""
    header, end = {"__metadata__": metadata}, 0
    for name, (dtype, shape, n_bytes) in tensors.items():
        begin, end = end, end + n_bytes
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


HOSTILE_SHAPES = [[], [0, 2**63 - 1], [2**63 - 1, 0], [0, 2**25], [3, 0], [0, 0, 0], [0] * 40]
NO_WORDS = {
    "vectors": ("F32", [0, 2], 0),
    "words": ("U8", [0], 0),
    "word_offsets": ("I64", [1], 8),
    "counts": ("I64", [0], 0),
    "output_vectors": ("F32", [0, 2], 0),
    "output_bias": ("F32", [0], 0),
    "further.best_vectors": ("F32", [0, 2], 0),
    "further.pending_input_bias": ("F32", [2], 8),
}


def test_the_hand_made_model_without_words_is_sound(tmp_path):
    write_header(tmp_path / "v", NO_WORDS, SOUND)
    assert read_vectors(tmp_path / "v").words == []


@pytest.mark.parametrize("key", NO_WORDS)
@pytest.mark.parametrize("shape", HOSTILE_SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_a_tensor_of_a_hostile_shape_is_refused(tmp_path, key, shape):
    size = 0 if shape else 8 if NO_WORDS[key][0] == "I64" else 1 if key == "words" else 4
    write_header(tmp_path / "v", NO_WORDS | {key: (NO_WORDS[key][0], shape, size)}, SOUND)
    for mmap in (False, True):
        with pytest.raises(ModelFormatError, match=str(tmp_path / "v")):
            read_vectors(tmp_path / "v", mmap=mmap)


@pytest.mark.parametrize("shape", HOSTILE_SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_a_static_embedding_of_a_hostile_shape_is_refused(tmp_path, small, shape):
    write_vectors(tmp_path / "v", small, "hf")
    (tmp_path / "v" / "tokenizer.json").write_text('{"model": {"vocab": {}}}')
    tensors = {"embeddings": ("F32", shape, 0 if shape else 4)}
    write_header(tmp_path / "v" / "model.safetensors", tensors, {})
    with pytest.raises(ModelFormatError, match=str(tmp_path / "v")):
        KeyedVectors.read(tmp_path / "v")


@pytest.mark.parametrize("length", [0, 3, 2**40, 2**63, 2**64 - 1])
def test_a_native_header_of_absurd_length_is_refused(tmp_path, length):
    (tmp_path / "v").write_bytes(struct.pack("<Q", length) + json.dumps({}).encode())
    with pytest.raises(ModelFormatError):
        read_vectors(tmp_path / "v", "native")
