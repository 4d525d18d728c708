"""The spool: what goes in comes out, in memory and on disk, in chunks of any size."""

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v.corpus import Spool, spool
from fastw2v.corpus.spool import SpoolWriter
from fastw2v.errors import ReadError, SaveError, UsageError

sentence_lengths = st.lists(st.integers(1, 5), min_size=1, max_size=40)


def arrays(lengths, seed=0):
    ends = np.cumsum(lengths).astype(np.int64)
    return np.random.default_rng(seed).integers(0, 1000, ends[-1]).astype(np.int32), ends


def written(word_ids, ends, limit_bytes, piece_tokens=7):
    """Return a spool that was written in pieces which do not respect sentences."""
    writer = SpoolWriter(limit_bytes)
    for begin in range(0, len(word_ids), piece_tokens):
        end = begin + piece_tokens
        inside = ends[(ends >= begin) & (ends <= end)] - begin
        writer.append(word_ids[begin:end], inside)
    return writer.finish()


def check_chunk(chunk, i, size, margin, word_ids, ends):
    n = len(word_ids)
    begin, end = i * size, min((i + 1) * size, n)
    first, last = max(begin - margin, 0), min(end + margin, n)
    assert chunk.first_token == first
    assert chunk.word_ids.dtype == np.int32
    assert chunk.word_ids.tolist() == word_ids[first:last].tolist()
    assert (chunk.centre_begin, chunk.centre_end) == (begin - first, end - first)
    want = [*ends[(ends > first) & (ends < last)], ends[ends >= last][0]]
    assert chunk.sentence_ends.dtype == np.int64
    assert chunk.sentence_ends.tolist() == want


@given(sentence_lengths, st.integers(1, 50), st.integers(0, 20), st.integers(1, 5))
@settings(max_examples=150)
def test_chunks_of_every_size_give_the_stream_back(lengths, size, margin, index_stride):
    word_ids, ends = arrays(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "INDEX_STRIDE", index_stride)
        for store in (
            Spool.from_arrays(word_ids, ends),
            written(word_ids, ends, 1 << 20),
            written(word_ids, ends, 0),
        ):
            with store:
                table = store.chunks(size, margin)
                assert len(table) == -(-len(word_ids) // size)
                for i in range(len(table)):
                    check_chunk(table.read(i), i, size, margin, word_ids, ends)
                centres = [c.word_ids[c.centre_begin : c.centre_end] for c in table]
                assert np.concatenate(centres).tolist() == word_ids.tolist()


@pytest.mark.parametrize("limit_bytes", [0, 5_000, 1 << 30])
def test_a_long_stream_is_the_same_in_memory_and_on_disk(limit_bytes):
    lengths = np.random.default_rng(1).integers(1, 4, 30_000)
    word_ids, ends = arrays(lengths)
    with written(word_ids, ends, limit_bytes, piece_tokens=997) as store:
        assert store.in_memory == (limit_bytes == 1 << 30)
        assert store.n_tokens == len(word_ids)
        assert store.n_sentences == len(ends)
        assert store.n_bytes == word_ids.nbytes + ends.nbytes
        table = store.chunks(1000, 5)
        with ThreadPoolExecutor(4) as pool:
            for i, chunk in enumerate(pool.map(table.read, range(len(table)))):
                check_chunk(chunk, i, 1000, 5, word_ids, ends)


def test_an_unended_last_sentence_is_ended():
    writer = SpoolWriter()
    writer.append(np.array([1, 2], np.int32), np.array([1], np.int64))
    with writer.finish() as store:
        assert next(iter(store.chunks(10, 0))).sentence_ends.tolist() == [1, 2]


def test_memory_is_viewed_not_copied():
    word_ids, ends = arrays([3, 4])
    chunk = Spool.from_arrays(word_ids, ends).chunks(2, 1).read(1)
    assert np.shares_memory(chunk.word_ids, word_ids)
    assert np.shares_memory(chunk.sentence_ends, ends)


@pytest.mark.parametrize(
    ("word_ids", "ends", "message"),
    [
        (np.zeros(2, np.int64), np.array([2]), "must be int32 and sentence_ends int64, got int64"),
        (np.zeros(2, np.int32), np.array([1]), "the last sentence end must be 2, got 1"),
        (np.zeros(2, np.int32), np.zeros(0, np.int64), "the last sentence end must be 2, got 0"),
        (np.zeros(2, np.int32), np.array([2, 2]), "must be strictly ascending"),
        (np.zeros(2, np.int32), np.array([0, 2]), "must be strictly ascending and greater than 0"),
    ],
)
def test_arrays_that_are_no_stream_are_refused(word_ids, ends, message):
    with pytest.raises(UsageError, match=message):
        Spool.from_arrays(word_ids, ends)


def test_impossible_chunks_are_refused():
    store = Spool.from_arrays(*arrays([2]))
    with pytest.raises(UsageError, match="chunk_tokens must be at least 1, got 0"):
        store.chunks(0, 1)
    with pytest.raises(UsageError, match="margin_tokens must be at least 0, got -1"):
        store.chunks(1, -1)
    with pytest.raises(IndexError, match=r"chunk must be in \[0, 2\), got 2"):
        store.chunks(1, 0).read(2)


def test_the_temporary_file_is_never_seen_and_its_descriptor_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    n_open = len(os.listdir("/proc/self/fd"))
    store = written(*arrays([2, 3]), 0)
    assert list(tmp_path.iterdir()) == []
    store.close()
    store.close()
    dropped = written(*arrays([2, 3]), 0)
    del dropped
    assert len(os.listdir("/proc/self/fd")) == n_open


def test_a_full_disk_names_the_folder_and_the_need(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "pwrite", full)
    message = (
        f"cannot write word ids to a temporary file in {tmp_path}: No space left on device "
        r"\(28 bytes needed so far\); set TMPDIR to a folder with more space"
    )
    with pytest.raises(SaveError, match=message):
        written(*arrays([7, 3]), 50)


def test_a_disk_that_fails_while_the_spool_is_read_back_names_its_folder(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = written(*arrays([7, 3]), 0)
    monkeypatch.setattr(os, "preadv", broken)
    message = (
        f"cannot read word ids back from the temporary file in {tmp_path}: Input/output error; "
        "set TMPDIR to a folder on another disk"
    )
    with pytest.raises(ReadError, match=message):
        store.read_tokens(0, 10)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SaveError, match=r"in .*gone: No such file or directory"):
        written(*arrays([2, 3]), 0)


def test_no_folder_that_can_be_written_is_an_error(tmp_path, monkeypatch):
    def none_found():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none_found)
    monkeypatch.setenv("TMPDIR", "/full")
    with pytest.raises(SaveError, match="in /full: No usable temporary directory found"):
        written(*arrays([2, 3]), 0)


def test_what_is_to_pass_the_limit_goes_to_disk_early():
    word_ids, ends = arrays([100])
    writer = SpoolWriter(1000)
    writer.append(word_ids, ends)  # 408 bytes
    writer.expect(0.41)
    assert writer.columns.in_memory
    writer.expect(0.4)
    assert not writer.columns.in_memory
    writer.expect(1.0)
    with writer.finish() as store:
        assert not store.in_memory
        assert store.read_tokens(0, 100).tolist() == word_ids.tolist()
