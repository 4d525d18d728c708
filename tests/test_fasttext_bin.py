import mmap
import os
import struct
import warnings

import numpy as np
import pytest
from small_corpus import topic_sentences, write_lines

from fastw2v.errors import ModelFormatError, SaveError
from fastw2v.formats import (
    WordVectors,
    detect_format,
    fasttext_bin,
    read_vectors,
    write_vectors,
)
from fastw2v.formats.fasttext_bin import MAGIC

WORDS = ["</s>", "a", "né", "中文字", "\udcff\udc80x", "longer", "b" * 40]
DIM = 3


def model_bytes(rng, minn, maxn, bucket, model=2, version=12, pruned=-1, labels=(), quantised=0):
    """A model of fastText's with random rows, and these."""
    rows = rng.normal(size=(len(WORDS) + bucket, DIM)).astype("<f4")
    words = [word.encode("utf-8", "surrogateescape") for word in WORDS]
    parts = [
        MAGIC,
        struct.pack("<13id", version, DIM, 5, 5, 5, 5, 1, 2, model, bucket, minn, maxn, 100, 1e-4),
        struct.pack("<3i2q", len(WORDS) + len(labels), len(WORDS), len(labels), 99, pruned),
        *(word + b"\0" + struct.pack("<qb", 9 - i, 0) for i, word in enumerate(words)),
        *(label.encode() + b"\0" + struct.pack("<qb", 5, 1) for label in labels),
        struct.pack("<b2q", quantised, *rows.shape) + rows.tobytes(),
        struct.pack("<b2q", 0, 2, DIM) + bytes(4 * 2 * DIM),
    ]
    return b"".join(parts), rows


def expected_vector(rows, row, minn, maxn, bucket):
    """The mean of a word's row and its n-grams', as dictionary.cc and fasttext.cc compute it."""
    word = WORDS[row].encode("utf-8", "surrogateescape")
    total, n_rows = rows[row].copy(), 1
    text = b"<" + word + b">" if word != b"</s>" else b""
    starts = [i for i, byte in enumerate(text) if byte & 0xC0 != 0x80] + [len(text)]
    for i in range(len(starts) - 1):
        for n in range(1, maxn + 1):
            if i + n >= len(starts) or n < minn:
                continue
            if n == 1 and (i == 0 or i + n == len(starts) - 1):
                continue
            value = 2166136261
            for byte in text[starts[i] : starts[i + n]]:
                value = ((value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619) % 2**32
            total += rows[len(WORDS) + value % bucket]
            n_rows += 1
    return total * np.float32(1 / n_rows)


@pytest.mark.parametrize(("minn", "maxn", "bucket"), [(3, 6, 50), (1, 2, 7), (2, 2, 1), (4, 3, 5)])
def test_word_vectors_are_means_with_their_n_grams(tmp_path, rng, minn, maxn, bucket):
    content, rows = model_bytes(rng, minn, maxn, bucket)
    (tmp_path / "v.bin").write_bytes(content)
    read = read_vectors(tmp_path / "v.bin")
    assert read.words == WORDS
    assert read.counts.tolist() == [9, 8, 7, 6, 5, 4, 3]
    expected = [expected_vector(rows, row, minn, maxn, bucket) for row in range(len(WORDS))]
    np.testing.assert_array_equal(read.vectors, expected)
    limited = read_vectors(tmp_path / "v.bin", limit=2)
    np.testing.assert_array_equal(limited.vectors, expected[:2])


@pytest.mark.parametrize(
    "changes", [{"maxn": 0}, {"pruned": 0}, {"version": 11, "model": 3}, {"bucket": 0}]
)
def test_a_model_without_n_grams_gives_its_rows(tmp_path, rng, changes):
    content, rows = model_bytes(rng, **({"minn": 3, "maxn": 6, "bucket": 4} | changes))
    (tmp_path / "v").write_bytes(content)
    np.testing.assert_array_equal(read_vectors(tmp_path / "v").vectors, rows[: len(WORDS)])


def test_labels_of_a_classifier_are_left_out_and_counted(tmp_path, rng):
    content, _ = model_bytes(rng, 0, 0, 0, model=3, labels=["__label__a", "__label__b"])
    (tmp_path / "v").write_bytes(content)
    with pytest.warns(UserWarning, match="skipped 2 classifier labels"):
        assert read_vectors(tmp_path / "v").words == WORDS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantised": 1}, r"quantised models \(.ftz\)"),
        ({"pruned": 3}, "its n-grams were pruned"),
        ({"version": 13}, "format version 13 is not 11 or 12"),
    ],
)
def test_what_is_not_read_is_said_by_name(tmp_path, rng, changes, message):
    content, _ = model_bytes(rng, 3, 6, 4, **changes)
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ModelFormatError, match=message):
        read_vectors(tmp_path / "v")


@pytest.mark.parametrize(
    ("offset", "code", "value", "message"),
    [
        (8, "<i", 4, "dimension 4 does not match its 3 columns"),
        (8, "<i", -1, "dimension -1 does not match"),
        (40, "<i", 2**31 - 1, "rows do not match 7 words and 2147483647 buckets"),
        (40, "<i", -1, "rows do not match 7 words and -1 buckets"),
        (64, "<i", 2**31 - 1, "entries do not match 7 words and 0 labels"),
        (68, "<i", -7, "7 entries do not match -7 words and 0 labels"),
        (97, "<q", -5, "dictionary entry 1 is damaged"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(
    tmp_path, rng, offset, code, value, message
):
    content = bytearray(model_bytes(rng, 3, 6, 4)[0])
    struct.pack_into(code, content, offset, value)
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ModelFormatError, match=message):
        read_vectors(tmp_path / "v")


def test_a_word_with_a_zero_byte_is_refused_by_name(tmp_path):
    bad = WordVectors(["fine", "a\0b"], np.zeros((2, 2), np.float32))
    with pytest.raises(SaveError, match=r"cannot hold the word 'a\\x00b'"):
        write_vectors(tmp_path / "v", bad, "fasttext")


@pytest.mark.parametrize("n_nodes", [0, 1])
def test_counts_and_output_vectors_of_words_are_written(tmp_path, rng, n_nodes):
    vectors = rng.normal(size=(2, 4)).astype(np.float32)
    outputs = np.vstack([np.ones((n_nodes, 4), np.float32), -vectors])  # nodes come first
    given = WordVectors(["x y", "z"], vectors, np.array([7, 3]), outputs)
    write_vectors(tmp_path / "v", given, "fasttext")
    read = read_vectors(tmp_path / "v")
    assert (read.words, read.counts.tolist()) == (["x y", "z"], [7, 3])
    of_words = np.int64([2, 4]).tobytes() + (-vectors).tobytes()
    assert (tmp_path / "v").read_bytes().endswith(of_words)


def test_gensim_reads_what_is_written_and_computes_the_same_vectors(tmp_path, rng):
    fasttext = pytest.importorskip("gensim.models.fasttext")
    content, _ = model_bytes(rng, 3, 6, 50)
    path = str(tmp_path / "v.bin")
    (tmp_path / "v.bin").write_bytes(content.replace(b"\xff\x80x", b"ok!"))
    read = read_vectors(path)
    theirs = fasttext.load_facebook_vectors(path)
    assert theirs.index_to_key == read.words
    assert theirs["</s>"].shape == (DIM,)
    rows = [row for row, word in enumerate(read.words) if word != "</s>"]
    # gensim gives </s> n-grams too, which fastText does not
    np.testing.assert_allclose(theirs.vectors[rows], read.vectors[rows], rtol=1e-5, atol=1e-7)
    write_vectors(path, read, "fasttext")
    again = fasttext.load_facebook_vectors(path)
    np.testing.assert_array_equal(again.vectors, read.vectors)


def test_fasttext_gives_the_same_vectors(tmp_path):
    fasttext = pytest.importorskip("fasttext")
    corpus = write_lines(tmp_path / "corpus.txt", topic_sentences())
    for number, (minn, maxn) in enumerate([(3, 6), (1, 3), (0, 0)]):
        model = fasttext.train_unsupervised(
            corpus, dim=8, epoch=1, thread=1, minn=minn, maxn=maxn, bucket=100, verbose=0
        )
        path = str(tmp_path / f"{number}.bin")
        model.save_model(path)
        assert detect_format(path) == "fasttext"
        read = read_vectors(path)
        assert read.words == model.get_words()
        expected = [model.get_word_vector(word) for word in read.words]
        np.testing.assert_array_equal(read.vectors, expected)
        write_vectors(path, read, "fasttext")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again = fasttext.load_model(path)
        assert again.get_words() == read.words
        np.testing.assert_array_equal(
            [again.get_word_vector(word) for word in read.words], read.vectors
        )


@pytest.mark.parametrize("minn", [0, 3])
def test_a_file_is_read_instead_of_mapped(tmp_path, rng, monkeypatch, minn):
    content, _ = model_bytes(rng, minn, minn and 6, 50)
    (tmp_path / "v.bin").write_bytes(content)
    monkeypatch.setattr(mmap, "mmap", pytest.fail)
    assert read_vectors(tmp_path / "v.bin").vectors.flags.writeable
    part = read_vectors(tmp_path / "v.bin", limit=2)
    assert part.words == WORDS[:2]


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error(tmp_path, rng, monkeypatch):
    path = tmp_path / "v.bin"
    content, _ = model_bytes(rng, 3, 6, 5000)
    path.write_bytes(content)
    dictionary = fasttext_bin._Reader.dictionary

    def cut_off(reader):
        os.truncate(path, 20_000)
        return dictionary(reader)

    monkeypatch.setattr(fasttext_bin._Reader, "dictionary", cut_off)
    with pytest.raises(ModelFormatError, match="was truncated while it was read"):
        read_vectors(path)


def test_settings_that_fasttext_cannot_hold_give_its_defaults(tmp_path, rng):
    vectors = WordVectors(["a"], np.ones((1, 2), np.float32))
    write_vectors(tmp_path / "expected", vectors, "fasttext")
    vectors.settings = {"epochs": 2**31, "window": -1, "min_count": 10**30, "negative": "5"}
    write_vectors(tmp_path / "v", vectors, "fasttext")
    assert (tmp_path / "v").read_bytes() == (tmp_path / "expected").read_bytes()
