import os
import threading
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import ModelFormatError, SaveError
from fastw2v.formats import WordVectors, native, tensor_file
from fastw2v.formats.records import NATIVE
from fastw2v.formats.word_vectors import decode_words, join_words, split_words


@pytest.fixture
def model(rng):
    padded = rng.normal(size=(5, 16)).astype(np.float32)
    return WordVectors(
        ["the", "", "two words", "new\nline", "\udcff"],
        padded[:, :6],
        counts=np.array([2**40, 5, 4, 3, 1]),
        output_vectors=rng.normal(size=(4, 6)).astype(np.float32),
        output_bias=rng.normal(size=4).astype(np.float32),
        input_bias=rng.normal(size=6).astype(np.float32),
        settings={"window": 5, "sample": 1e-3, "note": "naïve"},
    )


def assert_same_model(read, written):
    assert read.words == written.words
    assert read.settings == written.settings
    for name in ("vectors", "counts", "output_vectors", "output_bias", "input_bias"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), strict=True)


@pytest.mark.parametrize("mmap", [False, True])
def test_all_parts_of_a_model_come_back(tmp_path, model, mmap):
    native.write(tmp_path / "v", model)
    read = native.read(tmp_path / "v", mmap=mmap)
    assert_same_model(read, model)
    assert read.vectors.flags.writeable is not mmap
    assert read.vectors.ctypes.data % 64 == 0 or not mmap


def test_the_safetensors_library_reads_what_is_streamed(tmp_path, model):
    native.write(tmp_path / "v", model)
    tensors = load_file(tmp_path / "v")
    np.testing.assert_array_equal(tensors["vectors"], model.vectors)
    np.testing.assert_array_equal(tensors["output_bias"], model.output_bias)
    assert tensors["words"].tobytes() == b"thetwo wordsnew\nline\xff"
    assert tensors["word_offsets"].tolist() == [0, 3, 3, 12, 20, 21]
    with safe_open(tmp_path / "v", framework="np") as file:
        assert file.metadata()["fastw2v"] == "1"


def test_parts_that_are_not_held_stay_none(tmp_path):
    native.write(tmp_path / "v", WordVectors(["a"], np.ones((1, 2), np.float32)))
    read = native.read(tmp_path / "v")
    assert read.counts is read.output_vectors is read.output_bias is read.input_bias is None
    assert read.settings == {}


def test_a_model_of_no_words_comes_back(tmp_path):
    native.write(tmp_path / "v", WordVectors([], np.ones((0, 2), np.float32)))
    for mmap in (False, True):
        assert native.read(tmp_path / "v", mmap=mmap).vectors.shape == (0, 2)


def test_limit_leaves_the_output_side_out(tmp_path, model):
    native.write(tmp_path / "v", model)
    read = native.read(tmp_path / "v", limit=2)
    assert read.words == model.words[:2]
    assert read.counts.tolist() == [2**40, 5]
    assert read.output_vectors is None
    assert native.read(tmp_path / "v", with_output=False).output_bias is None


@pytest.mark.parametrize("stride", [64, 70])
def test_saving_and_mapping_need_no_second_copy_of_the_vectors(tmp_path, stride):
    vectors = np.zeros((200_000, stride), np.float32)[:, :64]
    words = [f"{i:06d}" for i in range(len(vectors))]
    tracemalloc.start()
    native.write(tmp_path / "v", WordVectors(words, vectors))
    n_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_peak < vectors.nbytes
    assert native.read(tmp_path / "v", mmap=True).vectors.base is not None


# ---- checksums ----


def reads_of_flipped_bits(path, load, step):
    """Return the bits of a file, every step-th tried, that load does not notice to be flipped."""
    raw, unnoticed = path.read_bytes(), []
    load(path)
    for bit in range(0, 8 * len(raw), step):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            load(path)
            unnoticed.append(bit)
        except ModelFormatError as error:
            assert str(path) in str(error)
    return unnoticed


def test_every_flipped_bit_of_a_file_is_a_model_format_error(tmp_path):
    ones = np.ones((1, 1), np.float32)
    model = WordVectors(["a"], ones, np.array([1]), ones, ones[0], {"window": 5}, {}, ones[0])
    native.write(tmp_path / "v", model)
    assert reads_of_flipped_bits(tmp_path / "v", native.read, 1) == []


@pytest.mark.parametrize(
    "load",
    [Word2Vec.load, KeyedVectors.load, KeyedVectors.read, partial(KeyedVectors.load, mmap=True)],
    ids=["model", "vectors", "any-format", "mapped"],
)
def test_a_flipped_bit_of_a_model_is_noticed_however_it_is_loaded(tmp_path, load):
    Word2Vec([["a", "b"]] * 9, min_count=1, vector_size=1, workers=1).save(tmp_path / "v")
    assert reads_of_flipped_bits(tmp_path / "v", load, 23) == []


def test_a_wrong_checksum_names_the_part_and_the_way_out(tmp_path, model):
    path = tmp_path / "v"
    native.write(path, model)
    raw = bytearray(path.read_bytes())
    vectors = raw.index(np.ascontiguousarray(model.vectors).tobytes())
    raw[vectors + 3] ^= 1
    path.write_bytes(raw)
    for limit in (None, 5):
        with pytest.raises(ModelFormatError, match="v: tensor 'vectors' does not match its check"):
            native.read(path, limit=limit)
    read = native.read(path, verify=False)
    assert not read.is_verified
    assert (read.vectors != model.vectors).sum() == 1
    assert native.read(path, limit=4).words == model.words[:4]  # the rows are not all read


def test_a_checksum_holds_for_tensors_of_several_blocks(tmp_path, model, monkeypatch):
    monkeypatch.setattr(tensor_file, "BLOCK_BYTES", 50)
    native.write(tmp_path / "v", model)
    monkeypatch.undo()
    assert native.read(tmp_path / "v").is_verified
    monkeypatch.setattr(tensor_file, "BLOCK_BYTES", 37)
    read = native.read(tmp_path / "v")
    assert read.is_verified
    assert_same_model(read, model)


def test_a_file_without_checksums_still_opens(tmp_path, model):
    native.write(tmp_path / "v", model)
    tensors = load_file(tmp_path / "v")
    del tensors["checksums"]
    with safe_open(tmp_path / "v", framework="np") as file:
        metadata = file.metadata()
    del metadata["checksums"]
    save_file(tensors, tmp_path / "old", metadata)
    read = native.read(tmp_path / "old")
    assert_same_model(read, model)
    assert not read.is_verified


def test_a_file_that_another_program_wrote_again_is_an_error(tmp_path, model):
    native.write(tmp_path / "v", model)
    with safe_open(tmp_path / "v", framework="np") as file:
        metadata = file.metadata()
    save_file(load_file(tmp_path / "v"), tmp_path / "v", metadata)
    with pytest.raises(ModelFormatError, match="the header does not match its checksum"):
        native.read(tmp_path / "v")
    assert_same_model(native.read(tmp_path / "v", verify=False), model)


def test_a_model_with_checksums_can_be_written_to_a_pipe(tmp_path, model):
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=native.write, args=(tmp_path / "pipe", model))
    thread.start()
    (tmp_path / "v").write_bytes((tmp_path / "pipe").read_bytes())
    thread.join()
    assert native.read(tmp_path / "v").is_verified


@pytest.mark.parametrize("verify", [True, False])
def test_a_file_that_is_cut_off_while_it_is_read_is_an_error(tmp_path, monkeypatch, verify):
    path, rows = tmp_path / "v", np.zeros((5, 5000), np.float32)
    native.write(path, WordVectors(list("abcde"), rows, output_vectors=rows))
    words = native._words

    def cut_off(*args):
        found = words(*args)
        os.truncate(path, path.stat().st_size - rows.nbytes)
        return found

    monkeypatch.setattr(native, "_words", cut_off)
    with pytest.raises(ModelFormatError, match="was truncated while it was read"):
        native.read(path, verify=verify)


@given(words=st.lists(st.text(max_size=3) | st.binary(max_size=3), unique=True))
def test_words_are_split_as_they_were_joined(words):
    encoded = [word.encode("utf-8", "replace") if isinstance(word, str) else word for word in words]
    offsets = np.cumsum([0, *map(len, encoded)])
    assert split_words(b"".join(encoded), offsets) == decode_words(encoded)


@given(st.lists(st.text(max_size=8) | st.just("\udcff"), unique=True))
def test_words_are_joined_as_python_encodes_them(words):
    encoded = []
    for word in words:
        try:
            encoded.append(word.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            with pytest.raises(SaveError, match="is not Unicode text"):
                join_words("file", words, NATIVE)
            return
    text, offsets = join_words("file", words, NATIVE)
    assert text == b"".join(encoded)
    assert offsets.tolist() == [0, *np.cumsum([len(word) for word in encoded]).tolist()]


@pytest.mark.parametrize("words", [["a", "b", "a"], ["é", "\udcc3\udca9"]])
def test_words_that_are_the_same_in_a_file_are_refused(words):
    with pytest.raises(SaveError, match="occurs twice"):
        join_words("file", words, NATIVE)
