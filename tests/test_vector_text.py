import bz2
import gzip
import io
import locale
import lzma
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastw2v.errors import ModelFormatError, ReadError
from fastw2v.formats import WordVectors, read_vectors, text_rows, write_vectors
from fastw2v.formats.text_rows import Layout, RowReader, row_text

# Every class of numeral: short and long, with and without a point, leading zeros, exponents.
plain = st.from_regex(r"[+-]?(0{0,3}[0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,30})", fullmatch=True)
numerals = st.builds(
    str.__add__, plain, st.sampled_from(["", "e0", "E-5", "e+7", "e-20", "e22", "e-27", "e-40"])
) | st.builds(lambda text, power: f"{text}e{power}", plain, st.integers(-400, 400))
doubles = st.floats(allow_nan=False).map(repr)
halfway = st.integers(0, 2**53 - 1).map(lambda n: str(2 * n + 1))  # between two doubles, or near


def parsed(text):
    """The float32 that the parser makes of each numeral."""
    line = io.BytesIO(b"w " + text.encode() + b"\n")
    reader = RowReader("v", line, len(text.split()), Layout(), first_line=1)
    _, vectors = reader.read(None, n_expected=1, announced=False, to_the_end=False)
    return vectors[0]


def as_python_does(text):
    with np.errstate(over="ignore"):
        return np.array([np.float32(float(number)) for number in text.split()])


@given(st.lists(numerals | doubles | halfway, min_size=1, max_size=20))
@example(["1", "-0.0", "0e99", "+.5", "5.", "1e-400", "1e400", "-1e39", "9007199254740993"])
@example(["0." + "0" * 40 + "1", "1" + "0" * 60, "0.1000000014901161193847656250000001"])
@example(["18446744073709551615", "18446744073709551616e-27", "9999999999999999999e27"])
@settings(max_examples=600)
def test_a_numeral_becomes_the_float32_that_python_makes_of_it(numbers):
    text = " ".join(numbers)
    assert parsed(text).tobytes() == as_python_does(text).tobytes()


def test_numerals_between_two_doubles_or_floats_are_rounded_to_even(rng):
    mantissas = rng.integers(2**52, 2**53, 2000)
    between = [str(2 * int(m) + 1) for m in mantissas]  # exactly between two doubles
    floats = rng.random(2000).astype(np.float32)
    middles = (floats.astype(float) + np.nextafter(floats, np.float32(2))) / 2
    text = " ".join([*between, *map(repr, middles.tolist()), *(f"{m:.30f}" for m in middles)])
    assert parsed(text).tobytes() == as_python_does(text).tobytes()


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-Inf", "INFINITY", "+infinity", "-nan"])
def test_words_for_what_is_not_finite_are_read_in_any_case(word):
    np.testing.assert_array_equal(parsed(f"1 {word} 2"), as_python_does(f"1 {word} 2"))


@pytest.mark.parametrize(
    "text",
    ["1_0", "1e", "1e+", ".", "-", "+-1", "0x10", "1,5", "nanx", "in", "infinit", "1.2.3", "1e5.0",
     "--1", "1f", "٣", "e5", ".e5", "\t1"],
)  # fmt: skip
def test_what_is_no_numeral_is_refused(tmp_path, text):
    (tmp_path / "v").write_bytes(b"1 2\na 1 " + text.encode() + b"\n")
    with pytest.raises(ModelFormatError, match="line 2: not 2 numbers"):
        read_vectors(tmp_path / "v", "text")


def written(values, **layout):
    rows = np.asarray(values, np.float32)
    return b"".join(bytes(block) for block in row_text(rows, None, Layout(**layout))).decode()


def test_every_float_is_written_as_numpy_writes_it(rng):
    bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32)
    rows = bits.view(np.float32)
    size = np.abs(rows)
    rows = rows[~((size >= 1e6) & (size < 1e16))]  # where NumPy before 2.3 used no exponent
    rows = rows[: len(rows) // 10 * 10].reshape(-1, 10)
    expected = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    assert written(rows) == expected


def test_the_floats_of_trained_vectors_are_written_as_numpy_writes_them(rng):
    rows = (rng.normal(size=(2000, 50)) * 10.0 ** rng.integers(-6, 5, (2000, 1))).astype(np.float32)
    assert written(rows) == "".join(" ".join(map(str, row)) + "\n" for row in rows)


def test_powers_of_two_and_of_ten_and_their_neighbours_are_written_as_numpy_writes_them():
    powers = np.array(
        [2.0**n for n in range(-149, 128)] + [float(f"1e{n}") for n in range(-45, 39)]
    )
    values = powers.astype(np.float32)
    values = np.concatenate(
        [values, np.nextafter(values, np.float32(0)), np.nextafter(values, np.float32(np.inf))]
    )
    values = values[(values < 1e6) | (values >= 1e16)]
    assert written([values]).split() == [str(value) for value in values]


def test_rows_wider_than_a_block_and_padded_rows_are_written_whole(rng, monkeypatch):
    monkeypatch.setattr(text_rows, "BLOCK_BYTES", 64)
    rows = rng.normal(size=(3, 40)).astype(np.float32)[:, :33]
    words = ["é" * 500, "b", "c"]
    encoded = [word.encode() for word in words]
    text = b"".join(bytes(block) for block in row_text(rows, encoded, Layout()))
    expected = [" ".join([word, *map(str, row)]) for word, row in zip(words, rows, strict=True)]
    assert text.decode().splitlines() == expected


def test_values_left_to_python_are_written_and_read_in_any_place(tmp_path):
    tiny = np.float32(1e-30)
    rows = np.array([[tiny, 1, np.inf], [np.nan, tiny, -tiny], [1, 2, 1e-45]], np.float32)
    for format in ("text", "vec", "glove"):
        write_vectors(tmp_path / "v", WordVectors(["a", "b", "c"], rows), format)
        read = read_vectors(tmp_path / "v", format, allow_non_finite=True)
        np.testing.assert_array_equal(read.vectors, rows)


@pytest.mark.parametrize("block_bytes", [1, 7, 64])
@pytest.mark.parametrize("format", ["text", "vec", "glove", "bin"])
def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch, rng, format, block_bytes):
    monkeypatch.setattr(text_rows, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr("fastw2v.formats.word2vec_binary.BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(text_rows, "CALL_ROWS", 3)
    monkeypatch.setattr(text_rows, "CALL_HARD", 0)
    rows = rng.normal(size=(40, 5)).astype(np.float32)
    rows[7] = 1e-30
    given = WordVectors([f"w{i}" for i in range(40)], rows)
    write_vectors(tmp_path / "v", given, format)
    for limit in (None, 11, 40, 99):
        read = read_vectors(tmp_path / "v", format, limit=limit)
        assert read.words == given.words[:limit]
        np.testing.assert_array_equal(read.vectors, rows[:limit])


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("format", ["text", "vec", "glove", "bin"])
def test_compressed_files_are_read_by_their_content(tmp_path, monkeypatch, rng, format, compress):
    monkeypatch.setattr("fastw2v.formats.opened.UNCHECKED_BYTES", 100)
    rows = rng.normal(size=(200, 5)).astype(np.float32)
    given = WordVectors([f"w{i}" for i in range(200)], rows)
    path = tmp_path / ("v.vec" if format == "vec" else "v")
    write_vectors(path, given, format)
    whole = compress(path.read_bytes())
    path.write_bytes(whole)
    read = read_vectors(path)
    assert read.words == given.words
    np.testing.assert_array_equal(read.vectors, rows)
    path.write_bytes(whole[: len(whole) // 2])
    for given_format in (format, None):
        with pytest.raises(ModelFormatError, match=f"{path}: "):
            read_vectors(path, given_format)


@pytest.mark.parametrize("header", [b"1000000000000 3\n", b"1 1000000\n"])
def test_a_compressed_file_that_announces_more_than_it_holds_is_refused(tmp_path, header):
    (tmp_path / "v").write_bytes(gzip.compress(header + b"a 1 2 3\n"))
    for format in ("text", "bin"):
        with pytest.raises(ModelFormatError, match=r"the file ends|expected a word"):
            read_vectors(tmp_path / "v", format)


def test_the_decimal_point_does_not_follow_the_locale(tmp_path):
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
            break
        except locale.Error:
            continue
    else:
        pytest.skip("no locale with a decimal comma is installed")
    try:
        assert parsed("0.5 1e-3").tolist() == [0.5, np.float32(1e-3)]
        assert written([[0.5]]) == "0.5\n"
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def test_a_pipe_is_refused_by_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    keep = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        for format in ("text", "native"):
            with pytest.raises(ReadError, match="it is a pipe"):
                read_vectors(tmp_path / "pipe", format)
    finally:
        os.close(keep)


def next_to_halfway(exponent):
    """Numerals that only their last bits put above the middle of two doubles.

    The double above is rounded up to a float32, and the one below is halfway and rounded down.
    digits * 10**exponent is a hair above middle * 2**k, with the digits that the parser keeps.
    """
    fives = 5**-exponent
    for step in range(1 << 12):
        middle = ((1 << 22 | step) << 31) + (1 << 29) + 1
        scale = 1 << (middle * fives // 10**19 + 1).bit_length()
        digits = -(-middle * fives // scale)
        if 0 < digits * scale - middle * fives < fives >> 11 and digits < 10**19:
            yield f"{digits}e{exponent}"


def test_a_division_with_a_remainder_is_rounded_up_from_halfway():
    numerals = [n for e in range(-27, -22) for n in next_to_halfway(e)]
    assert len(numerals) > 100
    text = " ".join(numerals)
    assert parsed(text).tobytes() == as_python_does(text).tobytes()


def test_digits_beyond_those_kept_round_up_from_halfway():
    halfway = "16777217.00000000186264514923095703125"  # of doubles, between 16777216 and ...18
    text = f"{halfway} {halfway}000 {halfway}1 {halfway}0000001 -{halfway}1 {halfway}1e3"
    assert parsed(text)[:4].tolist() == [16777216, 16777216, 16777218, 16777218]
    assert parsed(text).tobytes() == as_python_does(text).tobytes()
