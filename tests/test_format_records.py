"""The record of a format says what is so of the files that are written."""

import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastw2v import Word2Vec, cli
from fastw2v.errors import SaveError, UsageError
from fastw2v.formats import FORMATS, WordVectors, detect_format, read_vectors, write_vectors
from fastw2v.formats.records import (
    DTYPES,
    PARTS,
    WRITTEN,
    check_target,
    format_of_suffix,
    listed,
    places_of,
)
from fastw2v.formats.sniff import ORDER

WORDS = ["the", "naïve", "中文", "x" * 300, *(f"word{n}" for n in range(500))]
HELD = [(format.name, dtype) for format in FORMATS.values() for dtype in format.dtypes]
NOT_HELD = [(name, dtype) for name in WRITTEN for dtype in DTYPES if (name, dtype) not in HELD]
DOCS = Path(__file__).parents[1] / "docs" / "formats.md"


@pytest.fixture(params=WRITTEN)
def format(request):
    """Return the record of each format that can be written here."""
    return usable(request.param)


def usable(name):
    for module in FORMATS[name].needs[:1]:
        pytest.importorskip(module)
    return FORMATS[name]


def model(rng, dim=16):
    """Return a model with all that a file may hold."""
    rows = rng.normal(scale=0.1, size=(2, len(WORDS), dim)).astype(np.float32)
    return WordVectors(
        WORDS,
        rows[0],
        counts=np.arange(len(WORDS), 0, -1),
        output_vectors=rows[1],
        output_bias=rows[1, :, 0].copy(),
        input_bias=rows[1, 0],
        settings={"window": 5},
        extra_arrays={"more": rows[0, 0]},
    )


def path_of(format, folder):
    return str(folder / f"v{''.join(format.suffixes[:1])}")


def files_below(folder):
    return {str(path) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("name", "dtype"), HELD)
def test_a_file_is_recognised_and_holds_what_its_record_says(tmp_path, rng, name, dtype):
    format = usable(name)
    path = path_of(format, tmp_path)
    given = model(rng)
    assert set(given.parts()) == set(PARTS)
    write_vectors(path, given, name, dtype)
    assert detect_format(path) == name
    read = read_vectors(path)
    assert set(read.parts()) == format.holds_as(dtype)
    assert read.words == WORDS
    np.testing.assert_allclose(read.vectors, given.vectors, atol=0 if dtype == "float32" else 0.01)


@pytest.mark.parametrize(("name", "dtype"), NOT_HELD)
def test_a_type_that_a_record_lacks_is_refused(name, dtype):
    usable(name)
    others = listed((other for other, held in HELD if held == dtype), "or")
    with pytest.raises(UsageError, match=f"not {dtype}; use {others}$"):
        check_target(name, dtype)


def test_the_files_of_a_record_are_those_written(tmp_path, rng, format):
    path = path_of(format, tmp_path)
    assert os.path.dirname(places_of(path, format.name)[0]) == str(tmp_path)
    write_vectors(path, model(rng), format.name)
    assert os.path.isdir(path) == format.is_folder
    assert files_below(tmp_path) == set(format.files(path)) == set(places_of(path, format.name))


def test_sizes_lie_within_those_of_the_record(tmp_path, rng, format):
    sizes = []
    for dim in (100, 200):
        folder = tmp_path / str(dim)
        folder.mkdir()
        write_vectors(path_of(format, folder), model(rng, dim), format.name)
        sizes.append(sum(map(os.path.getsize, files_below(folder))))
        assert format.min_bytes(len(WORDS), dim) <= sizes[-1] <= format.max_bytes(WORDS, dim)
    n_values = len(WORDS) * 100 * format.n_matrices
    value_bytes = (sizes[1] - sizes[0]) / n_values
    # a row more in `hf`, for words that it does not know
    assert format.min_value_bytes <= value_bytes <= format.max_value_bytes * (1 + 1 / len(WORDS))


def test_only_what_the_record_says_can_be_mapped(tmp_path, rng, format):
    path = path_of(format, tmp_path)
    write_vectors(path, model(rng), format.name)
    if format.can_be_mapped:
        assert not read_vectors(path, mmap=True).vectors.flags.writeable
    else:
        with pytest.raises(UsageError, match="only native and gensim files can be memory-mapped"):
            read_vectors(path, mmap=True)


@pytest.mark.parametrize("name", WRITTEN)
@given(word=st.text(max_size=3) | st.binary(max_size=3).map(os.fsdecode))
@settings(max_examples=60, deadline=None)
def test_a_word_is_refused_or_comes_back(tmp_path_factory, name, word):
    format = usable(name)
    path = path_of(format, tmp_path_factory.mktemp("word"))
    given = WordVectors([word], np.ones((1, 2), np.float32))
    if format.refused and format.refused.search(word):
        with pytest.raises(SaveError, match="cannot hold the word"):
            write_vectors(path, given, name)
    else:
        try:
            write_vectors(path, given, name)
        except SaveError as error:  # the first word looks like the magic number of a file
            assert "it would begin like" in str(error)
            return
        assert read_vectors(path, name).words == [word]


def test_every_format_has_its_place_in_the_order_and_its_module():
    assert sorted(format.name for format in ORDER) == sorted(FORMATS)
    for format in FORMATS.values():
        assert {"looks_like", "read"} <= set(dir(format.load()))
        assert hasattr(format.load(), "write") == (format.name in WRITTEN)
        assert bool(format.refused) == bool(format.refused_words)


def test_no_two_formats_share_an_end_of_paths(tmp_path):
    ends = [end for format in FORMATS.values() for end in format.endings]
    assert len(set(ends)) == len(ends)
    for format in FORMATS.values():
        for end in format.endings:
            assert format_of_suffix(tmp_path / "x" / f"v{end}".upper() if "." in end else end) == (
                format.name
            )


@pytest.fixture
def trained():
    return Word2Vec([["a", "b", "c"]] * 9, min_count=1, vector_size=4, workers=1, sample=0)


@pytest.mark.parametrize(
    ("name", "format"),
    [("v.txt", "text"), ("v.vec.gz", "vec"), ("v.bin", "bin"), ("v.safetensors", "native"),
     ("v.model", "native"), ("v.kv", "native"), ("v", "native"), ("v.2024-12", "native")],
)  # fmt: skip
def test_a_suffix_means_the_same_everywhere(tmp_path, monkeypatch, trained, name, format):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b c\n" * 99)
    trained.save("old.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained.save(f"api-{name}")
    trained.wv.save(f"wv-{name}")
    assert cli.main(["train", "text", "-o", f"train-{name}", "-q", "--sample", "0"]) == 0
    assert cli.main(["convert", "old.safetensors", f"convert-{name}"]) == 0
    found = {way: detect_format(f"{way}-{name}") for way in ("api", "wv", "train", "convert")}
    alike = {"text", "vec"} if format in ("text", "vec") else {format}  # the same text
    assert {*found.values()} <= alike, found


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".pkl", ".json", ".PT", ".csv.gz"])
def test_a_suffix_of_another_content_is_refused_everywhere(
    tmp_path, monkeypatch, capsys, trained, suffix
):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b c\n" * 99)
    trained.save("old")
    shown = f"v{suffix}: no format has the suffix '{suffix.lower().removesuffix('.gz')}'; known: "
    for save in (trained.save, trained.wv.save):
        with pytest.raises(UsageError, match=re.escape(shown)):
            save(f"v{suffix}")
    for args in (["train", "text", "-o"], ["convert", "old"]):
        assert cli.main([*args, f"v{suffix}"]) == 2
        assert shown in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"text", "old"}
    assert cli.main(["convert", "old", f"v{suffix}", "--to", "text"]) == 0  # asked for by name


def test_a_model_saved_by_a_suffix_of_vectors_says_what_it_lacks(tmp_path, trained):
    with pytest.warns(UserWarning, match=r"v\.bin holds vectors, but no model to train further"):
        trained.save(tmp_path / "v.bin")
    trained.save(tmp_path / "v.bin", "bin")


@pytest.mark.parametrize("command", ["train", "convert"])
def test_help_names_every_format_and_what_chooses_it(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert listed(WRITTEN, "or") in shown or command == "convert"
    for format in FORMATS.values():
        row = " ".join([format.name, *format.endings, format.description])
        assert row in shown or command == "train"
        ends = [f"{end} {format.name}" for end in format.endings if format.name != "native"]
        assert all(end in shown for end in ends) or command == "convert"


def test_training_writes_every_format(tmp_path, monkeypatch, capsys, format):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b\n" * 99)
    end = "".join(format.endings[:1])
    by_end = [] if end else ["--format", format.name]
    args = ["--vector-size", "4", "--workers", "1", *by_end]
    assert cli.main(["train", "text", "-o", f"v{end.removeprefix('folder')}", *args]) == 0
    assert f", format {format.name}\n" in capsys.readouterr().out
    assert sorted(read_vectors(f"v{end.removeprefix('folder')}").words) == ["a", "b"]


def test_a_second_file_of_the_output_is_not_written_over_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b\n" * 99)
    assert cli.main(["train", "text", "-o", "v.tsv", "--save-vocab", "v_metadata.tsv"]) == 2
    assert "v_metadata.tsv is both --output and --save-vocab" in capsys.readouterr().err
    assert os.listdir() == ["text"]


def test_the_documentation_has_the_table_of_the_records():
    head, dashes, *rows = [line for line in DOCS.read_text("utf-8").splitlines() if "|" in line]
    assert head.count("|") == dashes.count("|") == 7
    assert [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows] == [
        [
            f"`{format.name}`",
            ", ".join(f"`{end}`" for end in format.endings),
            format.description,
            ", ".join(format.dtypes),
            ", ".join(PARTS[part] for part in PARTS if part in format.holds),
            format.refused_words,
        ]
        for format in FORMATS.values()
    ]
