import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from damage import damage
from format_case import OTHERS
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from fastw2v import cli
from fastw2v.errors import Fastw2vError, ModelFormatError, SaveError, UsageError
from fastw2v.formats import (
    FORMATS,
    WordVectors,
    detect_format,
    read_vectors,
    write_vectors,
)
from fastw2v.formats.precision import similarity_loss

WORDS = ["the", "naïve", "中文", "x" * 300, "[CLS]", '"quoted\\"']
SUFFIX = {"hf": "", "tsv": ".tsv", "parquet": ".parquet"}
BAD_WORDS = {"hf": ["", "two words", "a\tb", "\udcff"], "tsv": ["", "a\tb", "a\n", "a\rb"],
             "parquet": ["\udcff"]}  # fmt: skip


@pytest.fixture
def given_vectors(rng):
    padded = rng.normal(size=(len(WORDS), 16)).astype(np.float32)
    return WordVectors(WORDS, padded[:, :7], np.arange(len(WORDS), 0, -1))


def needs(format):
    if format == "parquet":
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("format", OTHERS)
def test_words_and_vectors_come_back(tmp_path, given_vectors, format):
    needs(format)
    path = tmp_path / f"v{SUFFIX[format]}"
    write_vectors(path, given_vectors, format)
    assert all(os.path.isfile(file) for file in FORMATS[format].files(str(path)))
    assert detect_format(path) == format
    for limit in (None, 0, 2, 99):
        read = read_vectors(path, limit=limit)
        assert read.words == WORDS[:limit]
        np.testing.assert_array_equal(read.vectors, given_vectors.vectors[:limit], strict=True)
    assert (read.counts is None) == (format != "parquet")


@pytest.mark.parametrize("format", OTHERS)
def test_a_word_that_a_format_cannot_hold_is_named(tmp_path, format):
    needs(format)
    for word in BAD_WORDS[format]:
        bad = WordVectors(["fine", word], np.zeros((2, 2), np.float32))
        with pytest.raises(SaveError, match=re.escape(f"cannot hold the word {word!r}")):
            write_vectors(tmp_path / "v", bad, format)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", OTHERS)
def test_a_file_cut_off_anywhere_is_a_model_format_error(tmp_path, given_vectors, format):
    needs(format)
    path = tmp_path / f"v{SUFFIX[format]}"
    write_vectors(path, given_vectors, format)
    for file in map(Path, FORMATS[format].files(str(path))):
        whole = file.read_bytes()
        if file.name in ("config.json", "v_metadata.tsv"):
            continue
        for n_bytes in range(0, len(whole) - 1, max(1, len(whole) // 60)):
            file.write_bytes(whole[:n_bytes])
            with pytest.raises(ModelFormatError, match=str(tmp_path)):
                read_vectors(path, format)
        file.write_bytes(whole)


@pytest.mark.parametrize("format", OTHERS)
@given(data=st.data())
@settings(max_examples=80)
def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path_factory, format, data):
    needs(format)
    path = tmp_path_factory.mktemp("hostile") / f"v{SUFFIX[format]}"
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_vectors(path, WordVectors(["the", "of", "né"], vectors), format)
    file = Path(data.draw(st.sampled_from(FORMATS[format].files(str(path)))))
    damage(data, file)
    try:
        read_vectors(path, format)
    except Fastw2vError:
        pass
    except UserWarning as warning:
        assert "repeat an earlier word" in str(warning)


# ---- the folder of sentence-transformers ----


def test_the_folder_has_what_static_embedding_loads(tmp_path, given_vectors):
    tokenizers = pytest.importorskip("tokenizers")
    write_vectors(tmp_path / "v", given_vectors, "hf")
    # StaticEmbedding.load: this tokenizer, and one of two names of the tensor
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "v" / "tokenizer.json"))
    embeddings = load_file(tmp_path / "v" / "model.safetensors")["embeddings"]
    modules = json.loads((tmp_path / "v" / "modules.json").read_text())
    assert modules[0]["type"] == "sentence_transformers.models.StaticEmbedding"
    encoded = tokenizer.encode("the \t naïve\n中文 never", add_special_tokens=False)
    assert encoded.ids == [0, 1, 2, len(WORDS)]
    np.testing.assert_array_equal(embeddings[encoded.ids[:3]], given_vectors.vectors[:3])
    assert not embeddings[len(WORDS)].any()


def test_sentence_transformers_opens_the_folder(tmp_path, given_vectors):
    library = pytest.importorskip("sentence_transformers")
    write_vectors(tmp_path / "v", given_vectors, "hf")
    model = library.SentenceTransformer(str(tmp_path / "v"), device="cpu")
    mean = given_vectors.vectors[:2].mean(axis=0)
    np.testing.assert_allclose(model.encode("the naïve"), mean, rtol=1e-5)
    model.save(str(tmp_path / "again"))
    read = read_vectors(tmp_path / "again")
    assert read.words == WORDS
    np.testing.assert_array_equal(read.vectors, given_vectors.vectors)


def test_the_layout_that_sentence_transformers_saves_is_read(tmp_path, given_vectors):
    write_vectors(tmp_path / "flat", given_vectors, "hf")
    inner = tmp_path / "v" / "0_StaticEmbedding"
    inner.mkdir(parents=True)
    os.rename(tmp_path / "flat" / "tokenizer.json", inner / "tokenizer.json")
    vectors = np.vstack([given_vectors.vectors, np.zeros((1, 7), np.float32)])
    save_file({"embedding.weight": vectors}, inner / "model.safetensors")
    kind = "sentence_transformers.models.StaticEmbedding"
    modules = [{"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": kind}]
    (tmp_path / "v" / "modules.json").write_text(json.dumps(modules))
    assert read_vectors(tmp_path / "v").words == WORDS


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", "[]", "names no module with a path"),
        ("modules.json", '[{"type": "x.Transformer"}]', "not a StaticEmbedding"),
        ("modules.json", '[{"type": "StaticEmbedding", "path": "../.."}]', "points outside"),
        ("modules.json", '[{"type": "StaticEmbedding", "path": "/etc"}]', "points outside"),
        ("modules.json", "[" * 100_000, "not valid JSON"),
        ("tokenizer.json", "{}", "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": {"a": 0}}}', "tokens that name them"),
        ("tokenizer.json", '{"model": {"vocab": {"a": 1e99}}}', "have gaps"),
        ("tokenizer.json", '{"model": {"vocab": {"a": -1}}}', "have gaps"),
        ("tokenizer.json", '{"model": {"vocab": {"a": "x"}}}', "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": {"a": Infinity}}}', "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": {"a": 0.5}}}', "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": {"\\ud800": 0}}}', "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": [[null, 0]]}}', "no valid vocabulary"),
        ("tokenizer.json", '{"model": {"vocab": {}}, "added_tokens": 3}', "no valid vocabulary"),
        (
            "modules.json",
            '[{"type": "StaticEmbedding", "path": "\\ud800"}]',
            "cannot be the name of a folder",
        ),
        (
            "modules.json",
            '[{"type": "StaticEmbedding", "path": "a\\u0000b"}]',
            "cannot be the name of a folder",
        ),
    ],
)
def test_a_folder_whose_files_disagree_is_refused(tmp_path, given_vectors, file, content, message):
    write_vectors(tmp_path / "v", given_vectors, "hf")
    (tmp_path / "v" / file).write_text(content)
    with pytest.raises(ModelFormatError, match=message):
        read_vectors(tmp_path / "v")


# ---- projector and Parquet ----


def test_projector_files_are_named_as_gensim_names_them(tmp_path):
    two = WordVectors(["a b", "c"], np.array([[0.5, -1e-5], [3, 0.1]], np.float32))
    write_vectors(tmp_path / "x_tensor.tsv", two, "tsv")
    assert (tmp_path / "x_tensor.tsv").read_bytes() == b"0.5\t-1e-05\n3.0\t0.1\n"
    assert (tmp_path / "x_metadata.tsv").read_bytes() == b"a b\nc\n"
    (tmp_path / "x_metadata.tsv").write_bytes(b"word\tcount\r\na b\t3\r\nc\t1\r\n")
    assert read_vectors(tmp_path / "x_tensor.tsv").words == ["a b", "c"]
    (tmp_path / "x_metadata.tsv").write_bytes(b"a\nb\nc\n")
    with pytest.raises(ModelFormatError, match="the file ends after 2 of 3 vectors"):
        read_vectors(tmp_path / "x_tensor.tsv")


def test_an_endless_word_or_line_of_the_projector_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("fastw2v.formats.projector_tsv.MAX_WORD_BYTES", 100)
    monkeypatch.setattr("fastw2v.formats.head.MAX_ROW_BYTES", 100)
    (tmp_path / "v.tsv").write_bytes(b"1\t2\t3\n" * 2)
    (tmp_path / "v_metadata.tsv").write_bytes(b"a\n" + b"x" * 101 + b"\n")
    with pytest.raises(ModelFormatError, match=r"v_metadata.tsv: line 2: longer than 100 bytes"):
        read_vectors(tmp_path / "v.tsv")
    (tmp_path / "v_metadata.tsv").write_bytes(b"a\nb\n")
    (tmp_path / "v.tsv").write_bytes(b"1\t" * 101)
    with pytest.raises(ModelFormatError, match=r"v.tsv: line 1: longer than 100 bytes"):
        read_vectors(tmp_path / "v.tsv", "tsv")


def test_parquet_of_spark_is_read_and_other_columns_are_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    lists = arrow.array([[1.0, 2.0], [3.0, 4.0]], arrow.list_(arrow.float32()))
    parquet.write_table(arrow.table({"word": ["a", "b"], "vector": lists}), tmp_path / "v")
    np.testing.assert_array_equal(read_vectors(tmp_path / "v").vectors, [[1, 2], [3, 4]])
    for columns, message in [
        ({"word": ["a", "b"]}, "no column vector or vectors"),
        ({"vector": lists}, "no column word or words"),
        ({"word": ["a", None], "vector": lists}, "row 2 has no word"),
        ({"word": ["a", "b"], "vector": ["x", "y"]}, "its vectors are string"),
        ({"word": ["a", "b"], "vector": [[1.0], [2.0, 3.0]]}, "differ in length: 1 to 2 values"),
        ({"word": ["a", "b"], "vector": [[1.0], [None]]}, "or values are missing"),
        ({"word": ["a", "b"], "vector": [["x"], ["y"]]}, "expected lists of numbers"),
        ({"word": ["a", "b"], "vector": [{"x": 1.0}, {"x": 2.0}]}, "expected lists of numbers"),
    ]:
        parquet.write_table(arrow.table(columns), tmp_path / "v")
        with pytest.raises(ModelFormatError, match=message):
            read_vectors(tmp_path / "v")


# ---- values that are not finite ----


@pytest.mark.parametrize("format", OTHERS)
def test_a_value_that_is_not_finite_is_refused_by_its_word(tmp_path, format):
    needs(format)
    rows = np.ones((3, 2), np.float32)
    rows[1, 1] = np.nan
    write_vectors(tmp_path / "v", WordVectors(["a", "b", "c"], rows), format)
    with pytest.raises(ModelFormatError, match="the vector of 'b' is not finite"):
        read_vectors(tmp_path / "v", format)
    read = read_vectors(tmp_path / "v", format, allow_non_finite=True)
    np.testing.assert_array_equal(read.vectors, rows)


@pytest.mark.parametrize(
    "columns",
    [
        {"vector": [[1.0], [1e99]]},
        {"vector": [[1], [100]], "scale": [1.0, 3e38]},
        {"vector": [[1], [100]], "scale": [1.0, float("nan")]},
        {"vector": [[1], [100]], "scale": [1.0, 1e300]},
    ],
)
def test_parquet_numbers_beyond_float32_are_refused_by_their_word(tmp_path, columns):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"word": ["a", "b"], **columns}), tmp_path / "v")
    with pytest.raises(ModelFormatError, match="the vector of 'b' is not finite"):
        read_vectors(tmp_path / "v")


@pytest.mark.parametrize("count", [-1.0, 1.5, float("nan"), 1e300])
def test_parquet_counts_that_are_none_are_refused(tmp_path, count):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"word": ["a", "b"], "vector": [[1.0], [2.0]], "count": [3.0, count]})
    parquet.write_table(table, tmp_path / "v")
    with pytest.raises(ModelFormatError, match="the count of 'b' is"):
        read_vectors(tmp_path / "v")


# ---- fewer bits ----


@pytest.mark.parametrize("format", ["native", "parquet", "hf"])
@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_fewer_bits_keep_each_value_within_half_a_step(tmp_path, rng, format, dtype):
    needs(format)
    rows = (rng.normal(size=(50, 20)) * 10.0 ** rng.integers(-3, 3, (50, 1))).astype(np.float32)
    rows[7] = 0
    given = WordVectors([f"w{i}" for i in range(50)], rows, np.arange(50, 0, -1), rows.copy())
    if (format, dtype) == ("hf", "int8"):
        with pytest.raises(UsageError, match="use native or parquet"):
            write_vectors(tmp_path / "v", given, format, dtype)
        return
    write_vectors(tmp_path / "v", given, format, dtype)
    read = read_vectors(tmp_path / "v", format)
    assert read.words == given.words
    assert read.output_vectors is None
    error = np.abs(read.vectors - rows)
    if dtype == "int8":
        assert (error <= np.abs(rows).max(axis=1, keepdims=True) / 127 * 0.51).all()
    else:
        np.testing.assert_array_equal(read.vectors, rows.astype(np.float16).astype(np.float32))
    mean, most, n_pairs = similarity_loss(rows, read.vectors)
    assert 0 < mean < most < (0.03 if dtype == "int8" else 0.002)
    assert n_pairs == 50 * 49 // 2


@pytest.mark.parametrize(
    ("dtype", "value"), [("float16", 7e4), ("float16", np.nan), ("int8", np.inf)]
)
def test_a_vector_that_a_type_cannot_hold_is_refused_by_its_word(tmp_path, dtype, value):
    given = WordVectors(["fine", "odd"], np.array([[1, 2], [value, 0]], np.float32))
    with pytest.raises(SaveError, match=f"{dtype} cannot hold the vector of 'odd'"):
        write_vectors(tmp_path / "v", given, "native", dtype)


def test_formats_without_smaller_types_say_so(tmp_path, given_vectors):
    with pytest.raises(UsageError, match="format 'bin' can store float32, not"):
        write_vectors(tmp_path / "v", given_vectors, "bin", "float16")
    with pytest.raises(UsageError, match="dtype must be one of float32, float16, int8, got 'f4'"):
        write_vectors(tmp_path / "v", given_vectors, "native", "f4")


def test_convert_goes_through_all_formats_and_tells_the_loss(
    tmp_path, monkeypatch, capsys, given_vectors
):
    monkeypatch.chdir(tmp_path)
    write_vectors("a.txt", given_vectors, "text")
    pytest.importorskip("pyarrow")
    for source, target in [("a.txt", "b.tsv"), ("b.tsv", "c.parquet"), ("c.parquet", "d/"),
                           ("d", "e.safetensors"), ("e.safetensors", "f.vec")]:  # fmt: skip
        assert cli.main(["convert", source, target]) == 0
    assert read_vectors("f.vec").words == WORDS
    np.testing.assert_array_equal(read_vectors("f.vec").vectors, given_vectors.vectors)
    assert cli.main(["convert", "f.vec", "d", "--dtype", "float16"]) == 0
    assert cli.main(["convert", "f.vec", "g.safetensors", "--dtype", "int8"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"as int8, cosines change by [\d.e-]+ on average .* \(15 pairs\)", shown[-1]
    )
    assert cli.main(["convert", "f.vec", "h.bin", "--dtype", "int8"]) == 2
    assert not os.path.exists("h.bin")


def test_parquet_without_its_package_is_one_line_with_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.txt").write_text("1 1\na 1\n")
    (tmp_path / "corpus.txt").write_text("a b\n" * 9)
    for args in (["convert", "a.txt", "b.parquet"], ["train", "corpus.txt", "-o", "b.parquet"]):
        assert cli.main(args) == 2
        error = capsys.readouterr().err
        assert error == (
            "fastw2v: error: Parquet needs an optional package: pip install 'fastw2v[arrow]'\n"
        )
    assert sorted(os.listdir()) == ["a.txt", "corpus.txt"]
