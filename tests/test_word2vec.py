import json
import re
import subprocess
import sys

import numpy as np
import pytest
from small_corpus import topic_sentences, write_lines

import fastw2v
from fastw2v import KeyedVectors, Word2Vec
from fastw2v.corpus import Vocabulary
from fastw2v.errors import CorpusError, ModelFormatError, OutOfMemoryError, UsageError
from fastw2v.formats import read_vectors, write_vectors

OBJECTIVES = {"ns": {}, "hs": {"hs": 1}, "softmax": {"softmax": True}}
SMALL = {"vector_size": 12, "workers": 1, "epochs": 2}


@pytest.fixture(scope="module")
def sentences():
    return topic_sentences()


@pytest.fixture
def file(tmp_path, sentences):
    return write_lines(tmp_path / "corpus.txt", sentences)


def same_bits(a, b):
    return all(
        (x is None and y is None) or x.tobytes() == y.tobytes()
        for x, y in [
            (a.arrays.in_rows, b.arrays.in_rows),
            (a.arrays.out_rows, b.arrays.out_rows),
            (a.arrays.out_bias, b.arrays.out_bias),
        ]
    )


# ---- corpora ----


def test_the_same_text_gives_the_same_model_however_it_is_given(tmp_path, file, sentences):
    by_list = Word2Vec(sentences, **SMALL)
    half = len(sentences) // 2
    parts = [
        write_lines(tmp_path / "part1.txt", sentences[:half]),
        write_lines(tmp_path / "part2.txt", sentences[half:]),
    ]
    others = [
        Word2Vec((tuple(sentence) for sentence in sentences), **SMALL),
        Word2Vec(corpus_file=file, **SMALL),
        Word2Vec(corpus_file=tmp_path / "corpus.txt", **SMALL),
        Word2Vec(corpus_file=parts, **SMALL),
        Word2Vec(corpus_file=str(tmp_path / "part*.txt"), **SMALL),
        Word2Vec(corpus_file=file, tokenizer=str.split, **SMALL),
    ]
    for other in others:
        assert other.wv.index_to_key == by_list.wv.index_to_key
        np.testing.assert_array_equal(other.vocabulary.counts, by_list.vocabulary.counts)
        assert same_bits(other, by_list)


def test_build_vocab_and_train_are_what_the_constructor_does(sentences):
    at_once = Word2Vec(sentences, **SMALL)
    in_steps = Word2Vec(**SMALL)
    in_steps.build_vocab(sentences)
    assert (in_steps.history, in_steps.summary) == ([], None)
    assert not in_steps.output_vectors.any()
    summary = in_steps.train()
    assert same_bits(at_once, in_steps)
    assert summary is in_steps.summary
    assert len(in_steps.history) == 2


def test_the_summary_adds_up(file, sentences):
    model = Word2Vec(corpus_file=file, min_count=70, sample=0.01, **SMALL)
    s = model.summary
    assert s.n_tokens_read == sum(map(len, sentences))
    assert s.n_below_min_count > 0
    assert s.n_subsampled > 0
    assert s.n_tokens_read * s.epochs == s.n_trained + s.n_subsampled + s.n_below_min_count * 2
    assert (s.n_words, s.n_sentences) == (len(model.wv), len(sentences))
    assert s.loss == model.history[-1].loss


def test_other_text_is_trained_with_the_vocabulary_there_is(sentences):
    model = Word2Vec(sentences, **SMALL)
    words, before = model.wv.index_to_key, model.wv.vectors.copy()
    summary = model.train([["t1w1", "t1w2", "unheard", "of"]] * 50, epochs=3)
    assert (summary.n_tokens_read, summary.n_below_min_count, summary.epochs) == (200, 100, 3)
    assert model.wv.index_to_key == words
    changed = np.flatnonzero((model.wv.vectors != before).any(axis=1))
    assert {words[i] for i in changed} == {"t1w1", "t1w2"}
    assert len(model.history) == 5


def test_a_given_vocabulary_is_used_as_it_is(sentences):
    model = Word2Vec(**SMALL)
    model.build_vocab(sentences, vocabulary=Vocabulary(["t1w1", "c1", "absent"], [9, 3, 1]))
    model.train()
    assert model.wv.index_to_key == ["t1w1", "c1", "absent"]
    assert model.vocabulary.counts.tolist() == [9, 3, 1]


def test_a_failed_call_leaves_the_model_as_it_was(sentences):
    model = Word2Vec(sentences, softmax=True, **SMALL)
    before = model.wv.vectors.copy()
    many = ([f"w{i}"] for i in range(50_001) for _ in range(5))
    with pytest.raises(UsageError, match="full softmax"):
        model.build_vocab(many)
    np.testing.assert_array_equal(model.wv.vectors, before)
    model.build_vocab(sentences)
    with pytest.raises(UsageError, match="epochs must be at least 1, got 0"):
        model.train(epochs=0)
    model.train()  # the corpus that build_vocab read is still there


def test_the_next_training_needs_a_corpus(sentences):
    model = Word2Vec(**SMALL)
    message = re.escape("there is no vocabulary yet: call build_vocab before train")
    with pytest.raises(UsageError, match=message):
        model.train(sentences)
    for name in ("wv", "output_vectors"):
        with pytest.raises(UsageError, match="the model has no vocabulary yet: call build_vocab"):
            getattr(model, name)
    model.build_vocab(sentences)
    model.train()
    message = re.escape("there is no corpus: pass one to train, or call build_vocab first")
    with pytest.raises(UsageError, match=message):
        model.train()


def test_lower_case_and_tokenizer_are_for_files(tmp_path):
    (tmp_path / "text").write_text("Aa aa\nAA bb-bb\n" * 9)
    lowered = Word2Vec(corpus_file=tmp_path / "text", lowercase=True, **SMALL)
    assert lowered.wv.index_to_key == ["aa", "bb-bb"]
    cut = Word2Vec(corpus_file=tmp_path / "text", tokenizer=lambda s: s.split("-"), **SMALL)
    assert cut.wv.index_to_key == ["Aa aa", "AA bb", "bb"]


# ---- errors ----


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hs": 1, "negative": 5}, "hs and negative contradict each other: a model has one "
         "objective; leave out all but one, or set negative=0"),
        ({"hs": 1, "softmax": True}, "hs and softmax contradict each other: a model has one "
         "objective; leave out all but one"),
        ({"negative": 0}, "negative=0 leaves nothing to train: set negative, hs or softmax"),
        ({"negative": -1}, "negative must be at least 1, got -1"),
        ({"negative": "5"}, "negative must be an integer, got '5'"),
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"vector_size": 2**31}, "vector_size must be at most 2147483647, got 2147483648"),
        ({"window": True}, "window must be an integer, got True"),
        ({"window": None}, "window must be an integer, got None"),
        ({"epochs": 2.0}, "epochs must be an integer, got 2.0"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"sample": 1.5}, "sample must be at least 0 and below 1, got 1.5"),
        ({"sample": "0.1"}, "sample must be a number, got '0.1'"),
        ({"alpha": -1}, "alpha must be above 0, got -1"),
        ({"alpha": 0}, "alpha must be above 0, got 0"),
        ({"alpha": True}, "alpha must be a number, got True"),
        ({"alpha": float("nan")}, "alpha must be finite, got nan"),
        ({"alpha": 0.1, "min_alpha": 0.2}, "min_alpha must be between 0 and alpha (0.1), got 0.2"),
        ({"ns_exponent": float("inf")}, "ns_exponent must be finite, got inf"),
        ({"sg": 2}, "sg must be True or False, got 2"),
        ({"hs": "no"}, "hs must be True or False, got 'no'"),
        ({"softmax": "no"}, "softmax must be True or False, got 'no'"),
        ({"bias": "no"}, "bias must be True or False, got 'no'"),
        ({"shrink_windows": None}, "shrink_windows must be True or False, got None"),
        ({"lowercase": "no"}, "lowercase must be True or False, got 'no'"),
        ({"cbow_update": "mean"}, "cbow_update must be one of corrected, word2vec, got 'mean'"),
        ({"min_count": -1}, "min_count must be at least 0, got -1"),
        ({"max_final_vocab": 0}, "max_final_vocab must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_an_impossible_setting_is_named_before_anything_is_read(settings, message):
    with pytest.raises(UsageError) as caught:
        Word2Vec(**settings)
    assert str(caught.value) == message


def test_an_unknown_setting_is_named_with_those_known():
    with pytest.raises(UsageError) as caught:
        Word2Vec(size=100)
    assert str(caught.value).startswith("unknown setting 'size'; accepted are alpha, backend, ")


def test_a_corpus_is_either_sentences_or_files(sentences, file):
    message = "pass either sentences or corpus_file, and not both"
    for arguments in ((sentences, file), (None, None)):
        with pytest.raises(UsageError) as caught:
            Word2Vec().build_vocab(*arguments)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a sentence"], "sentence 1 is a string, expected a list of tokens; "
         "pass [s.split() for s in sentences]"),
        ("corpus.txt", "sentences is a string, expected an iterable of lists of tokens; "
         "a file is read by its path with read_text()"),
        ([], "the corpus holds no words"),
        ([["a", None]], "sentence 1: a token must be a string or an integer, got None"),
        ([["a", "b", "a"]], "0 of 2 distinct words occur at least 5 times "
         "(most frequent: 'a', 2 times); lower min_count"),
    ],
)  # fmt: skip
def test_a_corpus_that_cannot_be_trained_on_is_described(corpus, message):
    with pytest.raises(CorpusError) as caught:
        Word2Vec(corpus, **SMALL)
    assert str(caught.value) == message


def test_a_vocabulary_that_does_not_fit_the_objective_is_an_error():
    with pytest.raises(UsageError) as caught:
        Word2Vec([["a"] * 9], hs=1)
    assert str(caught.value) == "hierarchical softmax needs at least 2 words, got 1"
    with pytest.raises(UsageError) as caught:
        Word2Vec(([f"w{i}"] for i in range(50_001)), softmax=True, min_count=1)
    assert str(caught.value) == (
        "the full softmax is meant for at most 50,000 words, got 50,001; "
        "raise min_count, set max_final_vocab, or use negative sampling"
    )


def test_a_model_beyond_memory_is_an_error(sentences):
    with pytest.raises(OutOfMemoryError, match=r"cannot allocate [\d,]+ MiB: "):
        Word2Vec(sentences, vector_size=2**31 - 1)


@pytest.mark.parametrize("settings", [{"window": 10_000}, {"workers": 200}, {"vector_size": 1}])
def test_settings_far_from_the_usual_work(sentences, settings):
    model = Word2Vec(sentences, **SMALL | {"sg": 1} | settings)
    assert np.isfinite(model.wv.vectors).all()


# ---- what is learnt ----


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_words_of_a_topic_come_together(objective, sg):
    model = Word2Vec(topic_sentences(3_000), sg=sg, vector_size=24, sample=0, workers=1,
                     epochs=5, seed=2, **OBJECTIVES[objective])  # fmt: skip
    for word in ("t0w0", "t4w7", "t9w11"):
        near = [other for other, _ in model.wv.most_similar(word, topn=5)]
        assert all(other.startswith(word[:3]) for other in near), (word, near)


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_bias_is_trained_in_every_objective(sentences, objective, sg):
    model = Word2Vec(sentences, bias=True, sg=sg, **OBJECTIVES[objective], **SMALL)
    bias = model.arrays.out_bias
    assert bias.shape == (len(model.wv) - (objective == "hs"),)
    assert np.count_nonzero(bias) == len(bias)
    without = Word2Vec(sentences, sg=sg, **OBJECTIVES[objective], **SMALL)
    assert without.arrays.out_bias is None
    assert (without.wv.vectors != model.wv.vectors).any()


def test_wv_follows_more_training(sentences):
    model = Word2Vec(sentences, **SMALL)
    before = model.wv.most_similar("t1w1")
    model.train(sentences, epochs=3)
    fresh = KeyedVectors(model.wv.index_to_key, model.wv.vectors.copy())
    assert model.wv.most_similar("t1w1") == fresh.most_similar("t1w1")
    assert model.wv.most_similar("t1w1") != before
    row = model.wv["t1w1"]
    near, similarity = model.wv.most_similar("t1w1", topn=1)[0]
    other = model.wv[near]
    cosine = row @ other / np.linalg.norm(row) / np.linalg.norm(other)
    assert similarity == pytest.approx(cosine, abs=1e-5)


def test_progress_is_told_of_reading_and_training(sentences, file):
    for corpus in ({"sentences": sentences}, {"corpus_file": file}):
        reports = []
        Word2Vec(**corpus, progress=reports.append, **SMALL)
        stages = [report.stage for report in reports]
        assert stages == sorted(stages)
        assert set(stages) == {"read", "train"}
        assert reports[-1].done == reports[-1].total


# ---- files ----


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_saved_model_comes_back_bit_for_bit_and_trains_on(tmp_path, sentences, objective):
    settings = SMALL | OBJECTIVES[objective] | {"vector_size": 20}
    model = Word2Vec(sentences, bias=True, sg=1, min_count=3, window=4, lowercase=True, seed=7,
                     max_final_vocab=100, alpha=0.03, **settings)  # fmt: skip
    model.save(tmp_path / "model")
    loaded = Word2Vec.load(tmp_path / "model")
    assert same_bits(model, loaded)
    assert loaded.vocabulary.words == model.vocabulary.words
    np.testing.assert_array_equal(loaded.vocabulary.counts, model.vocabulary.counts)
    kept, given = loaded.to_word_vectors().settings, model.to_word_vectors().settings
    for machine in ("workers", "backend"):
        del kept[machine], given[machine]
    assert kept == given
    for one in (model, loaded):
        one.parameters = model.parameters  # one worker
        one.train(sentences)
    assert same_bits(model, loaded)


def test_a_loaded_model_is_free_to_use_another_machine(tmp_path, sentences):
    model = Word2Vec(sentences, backend="scalar", **SMALL)
    model.save(tmp_path / "model")
    loaded = Word2Vec.load(tmp_path / "model")
    assert (loaded.parameters.backend, loaded.parameters.workers) == (None, None)
    assert read_vectors(tmp_path / "model").settings["backend"] == "scalar"


@pytest.mark.parametrize("format", ["native", "text", "bin", "vec", "glove"])
def test_vectors_in_any_format_are_read_back_exactly(tmp_path, sentences, format):
    model = Word2Vec(sentences, **SMALL)
    model.save(tmp_path / "vectors", format)
    back = KeyedVectors.load(tmp_path / "vectors") if format == "native" else None
    back = back or KeyedVectors.read(tmp_path / "vectors", format)
    assert back.index_to_key == model.wv.index_to_key
    np.testing.assert_array_equal(back.vectors, model.wv.vectors)


def test_vectors_alone_are_no_model(tmp_path, sentences):
    model = Word2Vec(sentences, **SMALL)
    model.wv.save(tmp_path / "vectors")
    with pytest.raises(ModelFormatError) as caught:
        Word2Vec.load(tmp_path / "vectors")
    assert str(caught.value) == (
        f"{tmp_path / 'vectors'}: holds vectors but no model; read it with KeyedVectors.load"
    )


@pytest.mark.parametrize(
    "change",
    [{"window": 0}, {"min_count": "x"}, {"unheard": 1}, {"objective": "hs"}, {"bias": True},
     {"vector_size": 13}, None],
)  # fmt: skip
def test_settings_that_do_not_fit_the_model_are_a_format_error(tmp_path, sentences, change):
    data = Word2Vec(sentences, **SMALL).to_word_vectors()
    data.settings.update(change or {})
    if change is None:
        del data.settings["min_count"]
    json.dumps(data.settings)
    write_vectors(tmp_path / "model", data, "native")
    with pytest.raises(ModelFormatError, match="its settings do not describe a model: "):
        Word2Vec.load(tmp_path / "model")


# ---- backends ----


def test_backends_are_listed_slowest_first():
    names = fastw2v.backends()
    assert names[0] == "scalar"
    order = ["scalar", "vec128", "avx2", "avx512"]
    assert names == [name for name in order if name in names]


@pytest.mark.parametrize("name", fastw2v.backends())
def test_the_environment_forces_a_backend(monkeypatch, sentences, name):
    monkeypatch.setenv("FASTW2V_BACKEND", name)
    forced = Word2Vec(sentences, **SMALL)
    assert forced.to_word_vectors().settings["backend"] == name
    monkeypatch.delenv("FASTW2V_BACKEND")
    assert same_bits(forced, Word2Vec(sentences, backend=name, **SMALL))


def test_a_wrong_backend_is_an_error(monkeypatch, sentences):
    message = f"backend must be one of {', '.join(fastw2v.backends())}, got 'sse9'"
    with pytest.raises(UsageError) as caught:
        Word2Vec(sentences, backend="sse9", **SMALL)
    assert str(caught.value) == message
    monkeypatch.setenv("FASTW2V_BACKEND", "sse9")
    with pytest.raises(UsageError) as caught:
        Word2Vec(sentences, **SMALL)
    assert str(caught.value) == message


def test_public_names_are_found_when_asked_for():
    code = "import fastw2v; print(fastw2v.Word2Vec.__name__, *dir(fastw2v)); fastw2v.nothing"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert set(shown.stdout.split()) >= {"Word2Vec", "KeyedVectors", "backends", "__version__"}
    assert "module 'fastw2v' has no attribute 'nothing'" in shown.stderr
