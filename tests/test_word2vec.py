import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_corpus import topic_sentences, write_lines
from small_model import OBJECTIVES, SMALL, same_bits

import fastw2v
from fastw2v import KeyedVectors, Word2Vec
from fastw2v.corpus import Vocabulary
from fastw2v.errors import UsageError

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
    assert bias.shape == model.output_vectors.shape[:1]
    assert np.count_nonzero(bias) == len(bias)
    without = Word2Vec(sentences, sg=sg, **OBJECTIVES[objective], **SMALL)
    assert without.arrays.out_bias is None
    assert (without.wv.vectors != model.wv.vectors).any()


def test_wv_follows_more_training(sentences):
    model = Word2Vec(sentences, **SMALL)
    before = model.wv.most_similar("t1w1")
    model.train(sentences, epochs=3)
    fresh = KeyedVectors.from_arrays(model.wv.index_to_key, model.wv.vectors.copy())
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


# ---- backends ----


def test_backends_are_listed_slowest_first():
    names = fastw2v.backends()
    assert names[0] == "scalar"
    cpu_info = Path("/proc/cpuinfo")
    is_intel = cpu_info.exists() and "GenuineIntel" in cpu_info.read_text()
    fastest = ["avx512bf16", "avx512"] if is_intel else ["avx512", "avx512bf16"]
    order = ["scalar", "vec128", "avx2", *fastest, "amx"]
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
