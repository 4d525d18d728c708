"""Models that gensim saved open, with what fastw2v has a place for."""

import bz2
import gzip
import warnings
import zipfile

import numpy as np
import pytest
from gensim_case import (
    COUNTS,
    WORDS,
    function,
    model_of_3,
    model_of_4,
    record,
    rows,
    save,
    vectors_of_4,
)
from small_corpus import topic_sentences

from fastw2v import KeyedVectors, Word2Vec, cli
from fastw2v.errors import CorpusError, ModelFormatError, ReadError, UsageError
from fastw2v.formats import detect_format, read_vectors, write_vectors

SETTINGS = {
    "window": 3, "n_negative": 7, "alpha": 0.03, "min_alpha": 0.0002, "sample": 0.0005,
    "ns_exponent": 0.5, "epochs": 4, "seed": 9, "cbow_mean": True, "vector_size": 4,
    "cbow_update": "word2vec", "objective": "ns",
}  # fmt: skip
MADE = {"3": model_of_3, "4": model_of_4}
each_version = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


# ---- structures of gensim 3.8 and 4, written here ----


@each_version
@pytest.mark.parametrize("protocol", range(6))
def test_a_model_keeps_its_words_vectors_counts_and_settings(tmp_path, made, protocol):
    path = save(tmp_path / "m", made(), protocol)
    assert detect_format(path) == "gensim"
    model = Word2Vec.load(path)
    assert model.wv.index_to_key == WORDS
    assert model.wv.expandos["count"].tolist() == COUNTS
    np.testing.assert_array_equal(model.wv.vectors, rows())
    np.testing.assert_array_equal(model.syn1neg, rows(seed=2))
    found = {name: getattr(model.parameters, name) for name in SETTINGS}
    assert found == SETTINGS
    assert (model.sg, model.min_count) == (int(made is model_of_4), 2)
    assert (model.corpus_count, model.corpus_total_words) == (12, 210)
    assert model.parameters.shrink_windows == (made is model_of_3)
    model.train([WORDS] * 50)
    assert np.isfinite(model.wv.vectors).all()
    assert not np.array_equal(model.wv.vectors, rows())


@each_version
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_model_opens(tmp_path, made, pack):
    path = tmp_path / "m.gz"
    path.write_bytes(pack((tmp_path / save(tmp_path / "m", made())).read_bytes()))
    for read in (KeyedVectors.read, KeyedVectors.load, lambda path: Word2Vec.load(path).wv):
        np.testing.assert_array_equal(read(path).vectors, rows())


def test_convert_info_and_nn_open_a_model(tmp_path, capsys):
    path, target = save(tmp_path / "m", model_of_4()), str(tmp_path / "new.safetensors")
    assert cli.main(["convert", path, target]) == 0
    model = Word2Vec.load(target)
    np.testing.assert_array_equal(model.syn1neg, rows(seed=2))
    assert model.parameters.negative == 7
    assert cli.main(["info", path]) == 0
    assert "gensim" in capsys.readouterr().out
    assert cli.main(["nn", path, "the"]) == 0
    assert "new_york" in capsys.readouterr().out


def test_a_model_can_start_another(tmp_path):
    path = save(tmp_path / "m", model_of_4())
    started = Word2Vec([WORDS] * 9, init_from=path, vector_size=4, min_count=1, freeze=True)
    assert started.wv["the"].tolist() == rows()[0].tolist()


def test_the_format_is_not_written(tmp_path):
    found = read_vectors(save(tmp_path / "m", model_of_4()))
    with pytest.raises(UsageError, match="format 'gensim' is only read; write native, text"):
        write_vectors(tmp_path / "new", found, "gensim")


def test_a_limit_reads_the_first_rows_alone(tmp_path):
    found = read_vectors(save(tmp_path / "m", model_of_4()), limit=2)
    assert (found.words, found.counts.tolist(), found.output_vectors) == (WORDS[:2], [60, 50], None)
    np.testing.assert_array_equal(found.vectors, rows()[:2])


def test_keys_of_other_types_are_words_and_reserved_rows_are_none(tmp_path):
    keys = ["the", 7, None, np.str_("日本"), "x", None]
    wv = KeyedVectors.load(save(tmp_path / "v", vectors_of_4(index_to_key=keys)))
    assert wv.index_to_key == ["the", "7", "日本", "x"]
    assert wv.expandos["count"].tolist() == [60, 50, 30, 20]
    np.testing.assert_array_equal(wv.vectors, rows()[[0, 1, 3, 4]])
    with pytest.raises(ModelFormatError, match="a word that is a float"):
        KeyedVectors.load(save(tmp_path / "v", vectors_of_4(index_to_key=[0.5] * 6)))


def test_a_str_of_python_2_is_a_word_in_utf_8(tmp_path):
    word = "né".encode()
    opcodes = [
        b"\x80\x02cgensim.models.keyedvectors\nWord2VecKeyedVectors\n)\x81}(",
        b"U\x0aindex2word](U%c%sU\x01ae" % (len(word), word),
        b"U\x07vectorscnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85U\x01bt"
        b"R(K\1K\2K\1\x86cnumpy\ndtype\n(U\x02f4K\0K\1tR(K\3U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff"
        b"\xffK\0tb\x89U\x08\0\0\x80?\0\0\0@tbub.",
    ]
    (tmp_path / "v").write_bytes(b"".join(opcodes))
    wv = KeyedVectors.read(tmp_path / "v")
    assert wv.index_to_key == ["né", "a"]
    assert wv.vectors.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("dtype", "order"), [("<f2", "C"), ("<f8", "C"), (">f4", "C"), ("<f4", "F")]
)
def test_vectors_of_any_float_type_and_order_are_read(tmp_path, dtype, order):
    stored = np.asarray(rows(), dtype, order)
    path = save(tmp_path / "v", vectors_of_4(vectors=stored))
    np.testing.assert_array_equal(KeyedVectors.read(path).vectors, stored.astype(np.float32))
    np.save(tmp_path / "v.vectors.npy", stored)
    path = save(tmp_path / "v", vectors_of_4(vectors=None, __numpys=["vectors"]))
    for options in ({}, {"mmap": True}, {"limit": 3}):
        read = KeyedVectors.read(path, **options).vectors
        np.testing.assert_array_equal(read, stored[: options.get("limit")].astype(np.float32))


@pytest.mark.filterwarnings("error")
def test_one_warning_lists_what_is_not_taken_over(tmp_path):
    wv = vectors_of_4(
        expandos={"count": np.array(COUNTS), "tag": np.array(COUNTS)},
        vectors_lockf=np.array([0, 1], np.float32),
    )
    model = model_of_4(wv, comment="mine", callbacks=[record("__main__.Log")], window=0, hs=1,
                       hashfxn=function("__main__", "digest"), dv=vectors_of_4(), null_word=1,
                       min_alpha=0.5, syn1=rows(seed=3))  # fmt: skip
    path = save(tmp_path / "m", model)
    with pytest.warns(UserWarning) as caught:
        Word2Vec.load(path)
    assert [str(warning.message) for warning in caught] == [
        f"{path}: not taken over from gensim: document vectors, word attribute 'tag', "
        "vectors_lockf, comment, callbacks, null_word, hashfxn, "
        "syn1 (the objective is negative sampling), window=0, min_alpha=0.5, which is above alpha"
    ]


# ---- arrays beside the model ----


def beside(tmp_path, **attributes):
    """Save a model whose vectors lie beside it; return both paths."""
    wv = vectors_of_4(**{"vectors": None, "__numpys": ["vectors"]} | attributes)
    np.save(tmp_path / "m.wv.vectors.npy", rows())
    return save(tmp_path / "m", model_of_4(wv)), tmp_path / "m.wv.vectors.npy"


def test_vectors_beside_the_model_are_read_or_mapped(tmp_path):
    path, _ = beside(tmp_path)
    np.testing.assert_array_equal(Word2Vec.load(path).wv.vectors, rows())
    read, mapped = KeyedVectors.load(path), KeyedVectors.load(path, mmap="r")
    np.testing.assert_array_equal(mapped.vectors, rows())
    assert (read.vectors.flags.writeable, mapped.vectors.flags.writeable) == (True, False)
    np.testing.assert_array_equal(KeyedVectors.read(path, limit=2).vectors, rows()[:2])


def test_a_missing_file_of_vectors_is_named(tmp_path):
    path, array = beside(tmp_path)
    array.unlink()
    with pytest.raises(ReadError, match=rf"cannot read {array}: it is missing; gensim wrote"):
        KeyedVectors.read(path)


def test_an_attribute_cannot_choose_another_file(tmp_path):
    np.save(tmp_path / "other.npy", rows())
    path = save(tmp_path / "m", vectors_of_4(vectors=None, __numpys=["/../other", "other"]))
    with pytest.raises(ModelFormatError, match="without vectors"):
        KeyedVectors.read(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:5],
        lambda data: data[:60],
        lambda data: data[:-1],
        lambda data: data.replace(b"(6, 4)", b"(7, 4)"),
        lambda data: data.replace(b"(6, 4), }  ", b"(9999999999999, 4), }"[:11]),
        lambda data: data.replace(b"<f4", b"|O8"),
        lambda data: data.replace(b"<f4", b"<i4"),
        lambda data: data.replace(b"'<f4'", b"[1]*9"),
        lambda data: data.replace(b"{'descr", b"{'other"),
        lambda data: data.replace(b"NUMPY\x01", b"NUMPY\x04"),
        lambda data: data.replace(b"NUMPY\x01\0v\0", b"NUMPY\x02\0\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_file_of_vectors_is_an_error_that_names_it(tmp_path, damage):
    path, array = beside(tmp_path)
    assert damage(array.read_bytes()) != array.read_bytes()
    array.write_bytes(damage(array.read_bytes()))
    for mmap in (False, True):
        with pytest.raises(ModelFormatError, match=rf"^{tmp_path}/m"):
            KeyedVectors.read(path, mmap=mmap)


def packed_beside(tmp_path, damage=lambda data: data):
    path, array = beside(tmp_path)
    data = damage(array.read_bytes())
    array.unlink()
    with zipfile.ZipFile(array.with_suffix(".npz"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("val.npy", data)
    return path, array.with_suffix(".npz")


def test_vectors_in_an_archive_are_read(tmp_path):
    path, _ = packed_beside(tmp_path)
    np.testing.assert_array_equal(KeyedVectors.read(path, mmap=True).vectors, rows())


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"(6, 4), }       ", b"(99999999, 9), }"),
        lambda data: data.replace(b"<f4", b"|O8"),
    ],
)
def test_a_damaged_array_in_an_archive_is_an_error(tmp_path, damage):
    path, archive = packed_beside(tmp_path, damage)
    with pytest.raises(ModelFormatError, match=rf"^{archive}: "):
        KeyedVectors.read(path)


def test_a_damaged_archive_is_an_error(tmp_path):
    path, archive = packed_beside(tmp_path)
    whole = archive.read_bytes()
    for place in range(0, len(whole), 3):
        for data in (whole[:place], whole[:place] + b"\xa5" + whole[place + 1 :]):
            archive.write_bytes(data)
            try:
                np.testing.assert_array_equal(KeyedVectors.read(path).vectors, rows())
            except ModelFormatError as error:
                assert str(error).startswith(f"{archive}: ")


# ---- what is not a model ----


def fasttext(**attributes):
    """Return FastTextKeyedVectors of gensim 4."""
    given = {"vectors": None, "vectors_vocab": rows(), "vectors_ngrams": rows(9, seed=2)}
    return vectors_of_4(**given | {"bucket": 9, "min_n": 2, "max_n": 3} | attributes)


def test_a_word_that_is_no_unicode_has_n_grams(tmp_path):
    words = ["\ud800", "\udcff", *WORDS[2:]]
    with pytest.warns(UserWarning, match="n-grams"):
        found = KeyedVectors.read(save(tmp_path / "v", fasttext(index_to_key=words)))
    assert found.index_to_key == words
    assert np.isfinite(found.vectors).all()


def test_output_vectors_of_another_shape_are_left_out_with_a_warning(tmp_path):
    path = save(tmp_path / "m", model_of_4(syn1neg=rows(5)))
    with pytest.warns(UserWarning, match=r"syn1neg of shape \(5, 4\)"):
        assert read_vectors(path).output_vectors is None


@pytest.mark.parametrize(
    "paths", [{}, {"code": np.arange(6), "point": np.arange(6)}, {"code": np.array([None] * 6)}]
)
def test_a_tree_without_its_paths_starts_at_zero_with_a_warning(tmp_path, paths):
    wv = vectors_of_4(expandos={"count": np.array(COUNTS), **paths})
    path = save(tmp_path / "m", model_of_4(wv, hs=1, negative=0, syn1=rows(seed=3)))
    with pytest.warns(UserWarning, match="syn1, which belongs to another tree"):
        assert not Word2Vec.load(path).syn1.any()


def test_what_many_words_share_is_not_copied_for_each(tmp_path):
    # Each of these files takes 1 MB, and terabytes if every word had a copy.
    n_words = 20_000
    shared = {str(n): None for n in range(50_000)}
    entries = [record("gensim.models.keyedvectors.Vocab") for _ in range(n_words)]
    for entry in entries:
        entry.__dict__ = shared
    words = [str(n) for n in range(n_words)]
    old = {"index2word": words, "vectors": rows(n_words, 1)}
    old = record("gensim.models.keyedvectors.Word2VecKeyedVectors", **old)
    old.vocab = dict(zip(words, entries, strict=True))
    with pytest.warns(UserWarning, match="49990 more word attributes"):
        assert len(KeyedVectors.read(save(tmp_path / "v", old))) == n_words
    paths, path_of_all = np.empty(n_words, object), np.zeros(1_000_000, np.uint8)
    for row in range(n_words):
        paths[row] = path_of_all
    wv = vectors_of_4(
        index_to_key=words,
        vectors=rows(n_words, 1),
        expandos={"count": np.ones(n_words, int), "code": paths, "point": paths},
    )
    path = save(tmp_path / "m", model_of_4(wv, hs=1, negative=0, syn1=rows(n_words, 1)))
    with pytest.warns(UserWarning, match="syn1, which belongs to another tree"):
        assert len(KeyedVectors.read(path)) == n_words


def test_a_name_alone_is_no_model(tmp_path):
    (tmp_path / "v").write_bytes(b"\x80\2cgensim.utils\nx\n.")
    with pytest.raises(ModelFormatError, match=r"v: a pickle of gensim\.utils\.x, which holds no"):
        KeyedVectors.read(tmp_path / "v")


def refusals():
    wv = "gensim.models.keyedvectors.KeyedVectors"
    lda = record("gensim.models.ldamodel.LdaModel", num_topics=2)
    return {
        "another model": (lda, "a pickle of gensim.models.ldamodel.LdaModel, which holds no word"),
        "no vectors": (
            record(wv, index_to_key=["a"]),
            "a pickle of .*KeyedVectors without vectors",
        ),
        "more words": (vectors_of_4(vectors=rows(5)), "6 words, but 5 vectors"),
        "flat": (vectors_of_4(vectors=rows()[0]), r"its vectors are float32 of shape \(4,\)"),
        "integers": (vectors_of_4(vectors=np.ones((6, 4), int)), "its vectors are int64"),
        "no values": (vectors_of_4(vectors=rows(6, 0)), r"of shape \(6, 0\), not vectors"),
        "objects": (vectors_of_4(vectors=np.array([None])), "objects or text instead of numbers"),
        "n-grams": (fasttext(bucket=7), r"7 buckets do not match n-grams of shape \(9, 4\)"),
        "no n-grams": (fasttext(vectors_ngrams=None), "its n-grams are missing or damaged"),
        "endless n-grams": (fasttext(max_n=2**31), "its n-grams are missing or damaged"),
        "twice": (vectors_of_4(index_to_key=["a"] * 6), "a word occurs twice"),
        "text": (vectors_of_4(vectors=np.array([["a"]])), "objects or text instead of numbers"),
        "NaN": (vectors_of_4(vectors=rows() * np.nan), "the vector of 'the' is not finite"),
        "counts": (vectors_of_4(expandos={"count": np.array([-1] * 6)}), "its counts are damaged"),
        "few counts": (vectors_of_4(expandos={"count": np.array([1])}), "its counts are damaged"),
    }


@pytest.mark.parametrize("name", refusals())
def test_what_holds_no_word_vectors_is_refused_by_name(tmp_path, name):
    made, message = refusals()[name]
    path = save(tmp_path / "v", made)
    for read in (KeyedVectors.read, KeyedVectors.load, Word2Vec.load):
        with pytest.raises(ModelFormatError, match=rf"^{path}: .*{message}"):
            read(path)


def test_vectors_alone_are_no_model(tmp_path):
    path = save(tmp_path / "v", vectors_of_4())
    with pytest.raises(ModelFormatError, match="has vectors but no model"):
        Word2Vec.load(path)


def test_other_pickles_are_refused_and_models_are_no_corpus(tmp_path):
    (tmp_path / "p").write_bytes(b"\x80\x04]\x94.")
    for read in (KeyedVectors.read, KeyedVectors.load, Word2Vec.load, detect_format):
        with pytest.raises(
            ModelFormatError, match="a Python pickle whose first class is not gensim's"
        ):
            read(tmp_path / "p")
    with pytest.raises(CorpusError, match="m: a model saved by gensim, not text"):
        Word2Vec(corpus_file=save(tmp_path / "m", model_of_4()))


# ---- files of the gensim that is installed ----


@pytest.fixture(scope="module")
def gensim():
    return pytest.importorskip("gensim.models", reason="gensim is not installed")


SMALL = {"vector_size": 8, "min_count": 1, "workers": 1, "epochs": 2, "seed": 3}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(("sg", "hs", "negative"), [(1, 0, 5), (0, 0, 3), (1, 1, 0)])
def test_a_model_of_gensim_opens_as_it_was(tmp_path, gensim, sg, hs, negative, protocol):
    theirs = gensim.Word2Vec(topic_sentences(), sg=sg, hs=hs, negative=negative, **SMALL)
    theirs.save(str(tmp_path / "m"), pickle_protocol=protocol)
    ours = Word2Vec.load(tmp_path / "m")
    assert ours.wv.index_to_key == theirs.wv.index_to_key
    np.testing.assert_array_equal(ours.wv.vectors, theirs.wv.vectors)
    assert ours.wv.expandos["count"].tolist() == theirs.wv.expandos["count"].tolist()
    assert (ours.sg, ours.hs, ours.negative) == (sg, hs, negative)
    outputs = theirs.syn1[:-1] if hs else theirs.syn1neg
    np.testing.assert_array_equal(ours.output_vectors, outputs)
    new = Word2Vec(sg=sg, hs=hs, negative=negative, cbow_update="word2vec", alpha=0.025, **SMALL)
    new.build_vocab(topic_sentences())
    losses = [model.train(topic_sentences(), epochs=1).loss for model in (ours, new)]
    assert losses[0] < losses[1]


def test_the_tree_of_a_model_of_gensim_is_kept(tmp_path, gensim):
    theirs = gensim.Word2Vec(topic_sentences(), hs=1, negative=0, **SMALL)
    theirs.save(str(tmp_path / "m"))
    ours = Word2Vec.load(tmp_path / "m")
    ours.save(tmp_path / "again")
    for model in (ours, Word2Vec.load(tmp_path / "again")):
        paths = model.arrays.paths
        for row in range(len(theirs.wv)):
            steps = paths.steps[paths.begin[row] : paths.begin[row + 1]]
            assert (steps >> 1).tolist() == theirs.wv.get_vecattr(row, "point").tolist()
            assert (steps & 1).tolist() == theirs.wv.get_vecattr(row, "code").tolist()


def test_output_vectors_of_another_tree_start_at_zero_with_a_warning(tmp_path, gensim):
    theirs = gensim.Word2Vec(topic_sentences(), hs=1, negative=0, **SMALL)
    theirs.wv.expandos["code"] = theirs.wv.expandos["code"][::-1].copy()
    theirs.save(str(tmp_path / "m"))
    with pytest.warns(UserWarning, match="syn1, which belongs to another tree"):
        ours = Word2Vec.load(tmp_path / "m")
    assert not ours.syn1.any()
    np.testing.assert_array_equal(ours.wv.vectors, theirs.wv.vectors)


@pytest.mark.parametrize("options", [{"bucket": 200}, {"max_n": 0}, {"min_n": 1, "bucket": 50}])
def test_words_of_fasttext_have_the_vectors_that_gensim_gives_them(tmp_path, gensim, options):
    theirs = gensim.FastText(topic_sentences(), **SMALL, **options)
    theirs.save(str(tmp_path / "m"))
    theirs.wv.save(str(tmp_path / "v"))
    again = gensim.FastText.load(str(tmp_path / "m")).wv
    for name in ("m", "v"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ours = KeyedVectors.read(tmp_path / name)
        assert len(caught) == (options.get("bucket") is not None)
        assert ours.index_to_key == again.index_to_key
        expected = np.array([again[word] for word in again.index_to_key])
        np.testing.assert_allclose(ours.vectors, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["m", "m.gz", "m.bz2"])
def test_arrays_that_gensim_stores_apart_are_found(tmp_path, gensim, name):
    theirs = gensim.Word2Vec(topic_sentences(), **SMALL)
    theirs.save(str(tmp_path / name), sep_limit=10)
    end = "npy" if name == "m" else "npz"
    assert (tmp_path / f"{name}.wv.vectors.{end}").exists()
    ours = Word2Vec.load(tmp_path / name)
    np.testing.assert_array_equal(ours.wv.vectors, theirs.wv.vectors)
    np.testing.assert_array_equal(ours.syn1neg, theirs.syn1neg)


def test_a_model_that_was_saved_to_an_open_file_after_arrays_apart_opens(tmp_path, gensim):
    theirs = gensim.Word2Vec(topic_sentences(), **SMALL)
    theirs.save(str(tmp_path / "apart"), sep_limit=10)
    with open(tmp_path / "m", "wb") as file:
        theirs.save(file)
    np.testing.assert_array_equal(Word2Vec.load(tmp_path / "m").syn1neg, theirs.syn1neg)
