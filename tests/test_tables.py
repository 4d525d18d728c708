"""Columns of Arrow tables, Parquet files, datasets and rows; each library where it is installed."""

import numpy as np
import pytest
from test_sentences import decoded

from fastw2v import Word2Vec, cli
from fastw2v.corpus import VocabularyRules, arrow, read_sentences, read_text
from fastw2v.errors import CorpusError, MissingPackageError, ReadError, UsageError
from fastw2v.formats import read_vectors

ALL = VocabularyRules(min_count=1)
LISTS = [["a", "b", "a"], [], ["c d"], ["b", "a"]]
TEXTS = ["a b  a", "", "c\nd", " b\ta "]
SPLIT = [["a", "b", "a"], ["c", "d"], ["b", "a"]]
NUMBERS = [[7, 8, 7], [], [9], [7, 8]]


def expected(cells):
    return [[str(token) for token in cell] for cell in cells if cell]


def sentences_of(data, column=None, **how):
    return decoded(read_sentences(data, rules=ALL, column=column, **how))


# ---- Arrow ----


@pytest.fixture
def pa():
    return pytest.importorskip("pyarrow")


@pytest.fixture
def table(pa):
    return pa.table({"tokens": LISTS, "text": TEXTS, "numbers": NUMBERS, "other": [0.5] * 4})


def test_a_column_of_a_table_is_read(table):
    assert sentences_of(table, "tokens") == expected(LISTS)
    assert sentences_of(table, "text") == SPLIT
    assert sentences_of(table, "numbers") == expected(NUMBERS)
    assert sentences_of(table.to_batches()[0], "tokens") == expected(LISTS)


def test_a_column_by_itself_and_a_stream_are_read(pa, table):
    assert sentences_of(table["tokens"]) == expected(LISTS)
    assert sentences_of(table["tokens"].chunk(0)) == expected(LISTS)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1))
    assert sentences_of(reader, "numbers") == expected(NUMBERS)
    assert sentences_of(table.select(["text"])) == SPLIT


def test_anything_with_the_array_interface_alone_is_read(pa, table):
    class Exported:
        def __init__(self, data):
            self.data = data

        def __arrow_c_array__(self, requested_schema=None):
            return self.data.__arrow_c_array__(requested_schema)

    assert sentences_of(Exported(table["numbers"].chunk(0))) == expected(NUMBERS)
    assert sentences_of(Exported(table.to_batches()[0]), "text") == SPLIT


def list_types(pa):
    text = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
    yield from (pa.list_(inner) for inner in text)
    yield pa.large_list(pa.string())
    yield pa.list_view(pa.string())


def test_every_kind_of_list_and_string_is_read(pa):
    for kind in list_types(pa):
        assert sentences_of(pa.array(LISTS, kind)) == expected(LISTS), kind
        assert sentences_of(pa.array(LISTS, kind).slice(2)) == expected(LISTS[2:]), kind
    fixed = pa.array([["a", "b"], ["b", "b"]], pa.list_(pa.string(), 2))
    assert sentences_of(fixed) == [["a", "b"], ["b", "b"]]
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        assert sentences_of(pa.array(TEXTS, pa.string()).cast(kind)) == SPLIT, kind
    for kind in (pa.int8(), pa.uint64()):
        assert sentences_of(pa.array(NUMBERS, pa.list_(kind))) == expected(NUMBERS), kind


def test_null_cells_are_empty_and_null_tokens_refused(pa):
    assert sentences_of(pa.array([None, ["a"], None])) == [["a"]]
    assert sentences_of(pa.array([None, "a b"])) == [["a", "b"]]
    with pytest.raises(CorpusError, match="row 3: a token is null"):
        sentences_of(pa.array([["a", "b"], [], ["c", None]]))


def test_batches_texts_and_bytes_are_cut_anywhere(pa, monkeypatch):
    monkeypatch.setattr(arrow, "TEXT_BYTES", 5)
    cells = [f"w{i % 7} w{i % 3}" for i in range(100)]
    corpus = read_sentences(pa.chunked_array([cells[:33], [], cells[33:]]), rules=ALL)
    assert decoded(corpus) == [cell.split() for cell in cells]
    assert corpus.n_bytes_read == sum(len(cell) + 1 for cell in cells)
    assert (corpus.n_sentences, corpus.n_tokens_read) == (100, 200)


def test_texts_go_to_the_tokenizer_and_words_to_lower_case(table):
    by_letter = [list(text.replace("\n", " ")) for text in TEXTS if text]
    assert sentences_of(table, "text", tokenizer=list) == by_letter
    upper = read_sentences([["A", "b", "a"]], rules=ALL, lowercase=True)
    assert decoded(upper) == [["a", "b", "a"]]
    assert sentences_of([{"x": "A b"}], "x", lowercase=True) == [["a", "b"]]


def test_a_column_that_cannot_be_used_is_refused(table):
    names = "tokens, text, numbers, other in the Table"
    with pytest.raises(UsageError, match=f"^column must be one of {names}, none was given$"):
        sentences_of(table)
    with pytest.raises(UsageError, match=f"^column must be one of {names}, got 'x'$"):
        sentences_of(table, "x")
    with pytest.raises(UsageError, match=r"^column is for tables, but the ChunkedArray is a s"):
        sentences_of(table["text"], "text")
    message = "^column 'other' must hold strings, or lists of strings or integers, got double$"
    with pytest.raises(CorpusError, match=message):
        sentences_of(table, "other")
    with pytest.raises(CorpusError, match=r"^the corpus contains no words$"):
        sentences_of(table.slice(1, 1), "tokens")


def test_without_pyarrow_one_line_says_what_to_install(monkeypatch):
    class Table:
        columns = ("a",)

        def __arrow_c_stream__(self, requested_schema=None):
            raise AssertionError

    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(
        MissingPackageError, match=r"^cannot read the Table: .*: pip install 'fastw2v\[arrow\]'$"
    ):
        sentences_of(Table())


def test_without_pyarrow_a_column_that_iterates_is_read(monkeypatch):
    class Series(list):
        def __arrow_c_stream__(self, requested_schema=None):
            raise AssertionError

    monkeypatch.setattr("fastw2v.corpus.inputs.has_pyarrow", lambda: False)
    assert sentences_of(Series(LISTS)) == expected(LISTS)


# ---- libraries ----


def test_polars(pa):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"tokens": LISTS, "text": TEXTS, "numbers": NUMBERS})
    assert sentences_of(frame, "tokens") == sentences_of(frame["tokens"]) == expected(LISTS)
    assert sentences_of(frame, "text") == sentences_of(frame["text"]) == SPLIT
    assert sentences_of(frame, "numbers") == expected(NUMBERS)
    categories = frame["tokens"].cast(pl.List(pl.Categorical))
    assert sentences_of(categories) == expected(LISTS)


def test_pandas(pa):
    pd = pytest.importorskip("pandas", "2.2")
    frame = pd.DataFrame({"tokens": LISTS, "text": TEXTS, "numbers": NUMBERS})
    assert sentences_of(frame, "tokens") == sentences_of(frame["tokens"]) == expected(LISTS)
    assert sentences_of(frame, "text") == SPLIT
    assert sentences_of(frame, "numbers") == expected(NUMBERS)


def test_duckdb(pa, table):
    duckdb = pytest.importorskip("duckdb")
    duckdb.register("cells", table)
    relation = duckdb.sql("SELECT tokens, text FROM cells")
    assert sentences_of(relation, "tokens") == expected(LISTS)
    assert sentences_of(duckdb.sql("SELECT text FROM cells")) == SPLIT


def test_hugging_face_datasets(pa, table):
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset(table)
    for dataset in (whole, whole.to_iterable_dataset()):
        assert sentences_of(dataset, "tokens") == expected(LISTS)
        assert sentences_of(dataset, "text") == SPLIT
        assert sentences_of(dataset, "numbers") == expected(NUMBERS)
    with pytest.raises(UsageError, match=r"column must be one of tokens, text, .* none was given"):
        sentences_of(whole)
    with pytest.raises(CorpusError, match=r"^sentences is a mapping with keys 'train'; pass"):
        sentences_of(datasets.DatasetDict(train=whole), "text")


def test_what_has_the_methods_of_a_dataset_is_one(pa, table):
    class Stream:
        column_names = None

        def select_columns(self, names):
            self.names = names
            return self

        def with_format(self, kind):
            assert kind == "arrow"
            return self

        def iter(self, batch_size):
            yield table.select(self.names)
            yield table.select(self.names)

    assert sentences_of(Stream(), "text") == SPLIT * 2


# ---- rows ----


def test_rows_that_are_mappings_are_read_by_column():
    rows = [{"x": text, "y": tokens} for text, tokens in zip(TEXTS, LISTS, strict=True)]
    assert sentences_of(iter(rows), "x") == SPLIT
    assert sentences_of(rows, "y") == expected(LISTS)
    assert sentences_of([{"x": None}, {"x": "a b"}], "x") == [["a", "b"]]
    assert sentences_of([{"x": None}, {"x": [1, 2]}, {"x": None}], "x") == [["1", "2"]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["a"]], r"row 1 is not a mapping and has no column 'x': \['a'\]"),
        ([{"x": "a"}, {"y": "b", "z": 1}], "row 2 has no column 'x', only y, z"),
        ([{"x": "a"}, {"x": 3}], "row 2: expected a string, got 3"),
        ([{"x": ["a"]}, {"x": "a b"}], "sentence 2 is a string"),
        ([{"x": None}], "the corpus contains no words"),
    ],
)
def test_rows_without_the_column_are_refused(rows, message):
    with pytest.raises(CorpusError, match=f"^{message}"):
        sentences_of(rows, "x")


# ---- Parquet ----


@pytest.fixture
def parquet(pa, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(table, "a.parquet", row_group_size=2)
    pq.write_table(table.slice(2), "b.parquet")
    return tmp_path


def files_of(paths, column=None, **how):
    return decoded(read_text(paths, rules=ALL, column=column, **how))


def test_parquet_files_are_read_by_column(parquet, monkeypatch):
    assert files_of("a.parquet", "tokens") == expected(LISTS)
    assert files_of("*.parquet", "text") == SPLIT + SPLIT[1:]
    monkeypatch.setattr(arrow, "PARQUET_ROWS", 1)
    assert files_of(["b.parquet", "a.parquet"], "numbers") == expected(NUMBERS[2:] + NUMBERS)


def test_parquet_files_are_known_by_their_first_bytes(parquet):
    (parquet / "data").write_bytes((parquet / "a.parquet").read_bytes())
    assert files_of("data", "tokens") == expected(LISTS)


def test_files_that_do_not_go_with_the_column_are_refused(parquet):
    (parquet / "text").write_text("a b\n")
    with pytest.raises(UsageError, match=r"^column is for Parquet files and .jsonl.*, but text"):
        files_of("text", "tokens")
    with pytest.raises(UsageError, match=r"^text and Parquet cannot be mixed, but text is not a P"):
        files_of(["a.parquet", "text"], "tokens")
    with pytest.raises(UsageError, match=r"^column must be one of .* in a.parquet, got 'x'$"):
        files_of("a.parquet", "x")
    with pytest.raises(CorpusError, match=r"^a.parquet, column 'other' must hold strings, or"):
        files_of("a.parquet", "other")
    (parquet / "cut").write_bytes((parquet / "a.parquet").read_bytes()[:200])
    with pytest.raises(ReadError, match=r"^cannot read cut: "):
        files_of("cut", "text")


def test_parquet_on_the_command_line(parquet, capsys):
    args = ["train", "a.parquet", "-o", "v", "--min-count", "1", "--vector-size", "4", "-q"]
    assert cli.main([*args, "--column", "tokens"]) == 0
    assert sorted(read_vectors("v").words) == ["a", "b", "c d"]
    assert cli.main(args) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("fastw2v: error: --column must be one of tokens, text, numbers, other")
    assert shown.count("\n") == 1


def test_a_model_trains_on_a_table_and_goes_on_with_the_next(table):
    model = Word2Vec(table, column="tokens", min_count=1, vector_size=8, sample=0)
    model.train(table.slice(2))
    assert model.summary.n_tokens_read == 3
    assert np.isfinite(model.wv.vectors).all()
