import bz2
import gzip
import lzma

import numpy as np
import pytest
from keyed_vectors_case import WORDS

from fastw2v import KeyedVectors
from fastw2v.errors import ModelFormatError, UsageError
from fastw2v.formats import WordVectors, native


def test_saved_vectors_are_loaded_again(tmp_path, wv):
    wv.save(tmp_path / "v")
    for loaded in (
        KeyedVectors.load(tmp_path / "v"),
        KeyedVectors.load(tmp_path / "v", mmap=True),
        KeyedVectors.read(tmp_path / "v"),
    ):
        assert loaded.index_to_key == wv.index_to_key
        assert loaded.get_vecattr("w0", "count") == 40
        np.testing.assert_array_equal(loaded.vectors, wv.vectors)
        assert loaded.most_similar("w1") == wv.most_similar("w1")


def test_loading_leaves_the_output_side_of_a_model(tmp_path, vectors):
    model = WordVectors(WORDS, vectors, output_vectors=vectors)
    native.write(tmp_path / "v", model)
    assert KeyedVectors.load(tmp_path / "v").to_word_vectors().output_vectors is None


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}])
def test_word2vec_formats_come_back(tmp_path, wv, options):
    wv.save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "vocab", **options)
    loaded = KeyedVectors.load_word2vec_format(
        tmp_path / "v",
        fvocab=tmp_path / "vocab",
        binary=options.get("binary", False),
        no_header="write_header" in options,
        limit=7,
        datatype=np.float16,
    )
    assert loaded.index_to_key == WORDS[:7]
    assert loaded.get_vecattr("w6", "count") == 34
    np.testing.assert_array_equal(loaded.vectors, wv.vectors[:7].astype(np.float16), strict=True)


def test_words_in_another_encoding_are_read(tmp_path):
    (tmp_path / "v").write_bytes("1 1\nnaïve 1\n".encode("latin-1"))
    assert "naïve" in KeyedVectors.load_word2vec_format(tmp_path / "v", encoding="latin-1")
    assert "na\udcefve" in KeyedVectors.load_word2vec_format(tmp_path / "v")


def test_impossible_requests_are_usage_errors(tmp_path, wv, vectors):
    uncounted = KeyedVectors.from_arrays(WORDS, vectors)
    with pytest.raises(UsageError, match="the count of these words is unknown"):
        uncounted.save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "c")
    with pytest.raises(UsageError, match="no_header is for text"):
        KeyedVectors.load_word2vec_format(tmp_path / "v", None, True, no_header=True)
    with pytest.raises(UsageError, match="keys must be strings to be written to a file, got 7"):
        KeyedVectors.from_arrays([7], vectors[:1]).save(tmp_path / "v")
    wv.save_word2vec_format(tmp_path / "v")
    (tmp_path / "c").write_text("w0 5\n")
    with pytest.raises(UsageError, match="no count for the word 'w1'"):
        KeyedVectors.load_word2vec_format(tmp_path / "v", fvocab=tmp_path / "c")


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read(tmp_path, wv, binary, compress):
    wv.save_word2vec_format(tmp_path / "v", binary=binary)
    (tmp_path / "v.z").write_bytes(compress((tmp_path / "v").read_bytes()))
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v.z", binary=binary, limit=20)
    assert loaded.index_to_key == WORDS[:20]
    np.testing.assert_array_equal(loaded.vectors, wv.vectors[:20])


@pytest.mark.parametrize(("suffix", "start"), [
    (".gz", b"\x1f\x8b"), (".BZ2", b"BZh"), (".xz", b"\xfd7zXZ"), (".zst", b"\x28\xb5\x2f\xfd"),
])  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}])
def test_a_suffix_of_a_compression_compresses_what_is_written(tmp_path, wv, suffix, start, options):
    if suffix == ".zst":
        pytest.importorskip("backports.zstd")
    path, counts = tmp_path / f"v.txt{suffix}", tmp_path / f"c{suffix}"
    wv.save_word2vec_format(path, counts, **options)
    assert path.read_bytes().startswith(start)
    assert counts.read_bytes().startswith(start)
    loaded = KeyedVectors.load_word2vec_format(
        path, counts, options.get("binary", False), no_header="write_header" in options
    )
    assert loaded.index_to_key == wv.index_to_key
    np.testing.assert_array_equal(loaded.vectors, wv.vectors)
    before = path.read_bytes()
    wv.save_word2vec_format(path, **options)
    assert path.read_bytes() == before


def test_rows_are_appended_to_compressed_text(tmp_path, wv):
    path = tmp_path / "v.txt.gz"
    wv.save_word2vec_format(path, total_vec=80, prefix="a_")
    wv.save_word2vec_format(path, write_header=False, prefix="b_", append=True)
    assert len(KeyedVectors.load_word2vec_format(path)) == 80


def test_native_vectors_are_not_written_under_the_name_of_a_compression(tmp_path, wv):
    with pytest.raises(UsageError, match=r"'native' cannot be compressed; leave out \.gz"):
        wv.save(tmp_path / "v.gz")


def test_an_error_in_a_compressed_file_names_the_file(tmp_path):
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"2 1\na 1\nb x\n"))
    with pytest.raises(ModelFormatError, match=f"^{tmp_path / 'v.gz'}: line 3"):
        KeyedVectors.load_word2vec_format(tmp_path / "v.gz")
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"2 1\na 1\nb 2\n")[:-9])
    with pytest.raises(ModelFormatError, match=f"{tmp_path / 'v.gz'}"):
        KeyedVectors.load_word2vec_format(tmp_path / "v.gz")


def test_words_are_written_in_the_order_of_an_attribute(tmp_path, vectors):
    wv = KeyedVectors.from_arrays(WORDS, vectors, counts=np.arange(40) % 3)
    for row, word in enumerate(WORDS):
        wv.set_vecattr(word, "rank", 40 - row)
    wv.save_word2vec_format(tmp_path / "v", tmp_path / "c")
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v", tmp_path / "c")
    assert loaded.index_to_key == WORDS[2::3] + WORDS[1::3] + WORDS[::3]
    assert loaded.get_vecattr("w5", "count") == 2
    assert all((loaded[word] == wv[word]).all() for word in WORDS)
    wv.save_word2vec_format(tmp_path / "v", sort_attr="rank")
    assert KeyedVectors.load_word2vec_format(tmp_path / "v").index_to_key == WORDS
    with pytest.raises(UsageError, match="the size of these words is unknown"):
        wv.save_word2vec_format(tmp_path / "v", tmp_path / "c", sort_attr="size")


@pytest.mark.parametrize("binary", [True, False])
def test_two_tables_can_be_written_to_one_file(tmp_path, wv, binary):
    path, vocab = tmp_path / "v", tmp_path / "c"
    wv.save_word2vec_format(path, vocab, binary=binary, total_vec=80, prefix="a_")
    wv.save_word2vec_format(
        path, vocab, binary=binary, write_header=False, prefix="b_", append=True
    )
    loaded = KeyedVectors.load_word2vec_format(path, vocab, binary=binary)
    assert loaded.index_to_key == [f"{prefix}_{word}" for prefix in "ab" for word in WORDS]
    assert loaded.get_vecattr("b_w3", "count") == wv.get_vecattr("w3", "count")
    np.testing.assert_array_equal(loaded.vectors, np.concatenate([wv.vectors] * 2))


@pytest.mark.parametrize("binary", [True, False])
def test_vectors_of_a_file_are_taken_over_in_place(tmp_path, wv, vectors, binary):
    before = vectors.copy()
    other = KeyedVectors.from_arrays(
        ["w7", "x", "w3"], np.arange(27, dtype=np.float32).reshape(3, 9)
    )
    other.save_word2vec_format(tmp_path / "v", binary=binary)
    near = wv.most_similar("w7")
    assert wv.intersect_word2vec_format(tmp_path / "v", binary=binary) == 2
    np.testing.assert_array_equal(vectors[[7, 3]], other.vectors[[0, 2]])
    rest = [row for row in range(40) if row not in (7, 3)]
    np.testing.assert_array_equal(vectors[rest], before[rest])
    assert wv.vectors_lockf[[7, 3, 0]].tolist() == [0, 0, 1]
    assert wv.most_similar("w7") != near
    with pytest.raises(UsageError, match="incompatible vector size 9"):
        KeyedVectors.from_arrays(["a"], vectors[:1, :4]).intersect_word2vec_format(
            tmp_path / "v", binary=binary
        )
