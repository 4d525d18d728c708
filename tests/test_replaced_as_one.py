"""Outputs of several files: a reader finds the old ones, the new ones or an error."""

import os

import numpy as np
import pytest

from fastw2v.errors import ReadError, SaveError
from fastw2v.formats import WordVectors, projector_tsv, read_vectors, static_embedding
from fastw2v.formats.records import HF, TSV

OLD = WordVectors([f"w{i}" for i in range(20)], np.eye(20, 3, dtype=np.float32) + 1)
NEW = WordVectors(OLD.words[::-1], OLD.vectors * 2)
FORMATS = {"h/": HF, "v.tsv": TSV}


@pytest.fixture(params=FORMATS)
def output(request, tmp_path, monkeypatch):
    """The path of OLD, written in a format of several files, and the function that writes it."""
    monkeypatch.chdir(tmp_path)
    write = FORMATS[request.param].load().write
    write(request.param, OLD)
    return request.param, write


def is_like(found, expected):
    rows = {word: row for row, word in enumerate(expected.words)}
    places = [rows[word] for word in found.words]
    return len(places) == 20 and np.allclose(found.vectors, expected.vectors[places])


def all_files():
    return sorted(os.path.join(at, name) for at, _, names in os.walk(".") for name in names)


@pytest.mark.parametrize("k", range(1, 9))
def test_the_old_files_are_kept_when_a_rename_fails(output, monkeypatch, k):
    path, write = output
    before, n_calls, real = all_files(), [0], os.replace

    def replace(*args):
        n_calls[0] += 1
        if n_calls[0] == k:
            raise OSError(28, "No space left on device")
        real(*args)

    monkeypatch.setattr(os, "replace", replace)
    if k <= 2 * len(FORMATS[path].files(path)):
        with pytest.raises(SaveError, match="No space left on device"):
            write(path, NEW)
        assert is_like(read_vectors(path), OLD)
    assert all_files() == before


@pytest.mark.parametrize("k", range(1, 9))
def test_a_reader_fails_where_files_could_not_be_put_back(output, monkeypatch, k):
    path, write = output
    n_calls, real = [0], os.replace

    def replace(*args):
        n_calls[0] += 1
        if n_calls[0] >= k:
            raise OSError(5, "Input/output error")
        real(*args)

    monkeypatch.setattr(os, "replace", replace)
    if k <= 2 * len(FORMATS[path].files(path)):
        with pytest.raises(SaveError, match="Input/output error"):
            write(path, NEW)
        if k == 1:
            assert is_like(read_vectors(path), OLD)
        else:
            with pytest.raises(ReadError):
                read_vectors(path)
    monkeypatch.setattr(os, "replace", real)
    write(path, NEW)
    assert is_like(read_vectors(path), NEW)
    assert all_files() == sorted(os.path.join(".", name) for name in FORMATS[path].files(path))


def test_a_first_save_that_fails_leaves_no_file(output, monkeypatch):
    path, write = output
    for name in all_files():
        os.unlink(name)
    real = os.replace

    def replace(*args):
        if args[1] == os.path.realpath(FORMATS[path].files(path)[0]):
            raise OSError(28, "No space left on device")
        real(*args)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(SaveError):
        write(path, NEW)
    assert all_files() == []


@pytest.mark.parametrize("format", ["h/", "v.tsv"])
def test_a_save_while_words_are_read_is_an_error(tmp_path, monkeypatch, format):
    monkeypatch.chdir(tmp_path)
    module, name = {
        "h/": (static_embedding, "_load_json"),
        "v.tsv": (projector_tsv, "_read_words"),
    }[format]
    module.write(format, OLD)
    real = getattr(module, name)

    def saves_first(path):
        if "modules" not in path:
            module.write(format, NEW)
        return real(path)

    monkeypatch.setattr(module, name, saves_first)
    with pytest.raises(ReadError, match="was replaced while it was read; read it again"):
        read_vectors(format)
    monkeypatch.setattr(module, name, real)
    assert is_like(read_vectors(format), NEW)


def test_files_that_are_no_part_of_the_output_stay(output):
    path, write = output
    folder = path if path.endswith("/") else "."
    with open(os.path.join(folder, "README.md"), "w") as file:
        file.write("mine")
    write(path, NEW)
    assert os.path.exists(os.path.join(folder, "README.md"))
