"""Scripts written for gensim, run unchanged with both imports where gensim is installed."""

import copy
import pickle

import numpy as np
import pytest
from small_corpus import topic_sentences, write_lines
from small_model import SMALL

from fastw2v import Word2Vec

IMPORTS = {
    "fastw2v": "from fastw2v import Word2Vec",
    "gensim": "from gensim.models import Word2Vec",
}

AT_ONCE = """
model = Word2Vec(sentences, vector_size=24, window=4, min_count=1, workers=1, sg=1, epochs=5,
                 alpha=0.025, sample=0)
"""
IN_STEPS = """
model = Word2Vec(vector_size=24, min_count=1, workers=1, alpha=0.05, sample=0, compute_loss=True)
model.build_vocab(sentences, progress_per=1000)
model.train(sentences, total_examples=model.corpus_count, epochs=20, compute_loss=True)
trained, read = model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
assert 0 < trained <= read == model.corpus_total_words * model.epochs
assert model.get_latest_training_loss() >= 0
"""
FROM_FILE = """
model = Word2Vec(corpus_file=path, vector_size=24, min_count=1, workers=1, hs=1, negative=0,
                 sg=1, epochs=5, sample=0)
model.save(path + ".model")
model = Word2Vec.load(path + ".model")
model.train(sentences, total_examples=model.corpus_count, epochs=2)
assert model.syn1.shape[1] == model.layer1_size == 24
"""
FROM_COUNTS = """
from collections import Counter
model = Word2Vec(vector_size=24, workers=1, sample=0, negative=8, sg=1)
model.build_vocab_from_freq(Counter(word for s in sentences for word in s),
                            corpus_count=len(sentences))
model.train(sentences, total_examples=model.corpus_count, epochs=5)
assert model.syn1neg.shape == (len(model.wv), model.vector_size)
"""
BY_HAND = """
model = Word2Vec(vector_size=24, min_count=1, workers=1, alpha=0.05, min_alpha=0.05, sample=0)
model.build_vocab(sentences)
for epoch in range(20):
    model.train(sentences, total_examples=model.corpus_count, epochs=1)
    model.alpha -= 0.002
    model.min_alpha = model.alpha
assert abs(model.alpha - 0.01) < 1e-9
"""
SCRIPTS = {"at once": AT_ONCE, "in steps": IN_STEPS, "from a file": FROM_FILE,
           "from counts": FROM_COUNTS, "rate by hand": BY_HAND}  # fmt: skip

ASK = """
wv = model.wv
vector = wv["t1w1"]
index = wv.key_to_index["t1w1"]
assert wv.index_to_key[index] == "t1w1" and "t1w1" in wv and "unheard" not in wv
assert abs((wv.vectors[index] - vector)).max() == 0
near = [word for word, _ in wv.most_similar("t1w1", topn=5)]
print(model)
"""


def run_script(text, module, tmp_path):
    """Run a script in the words of one module and return its names."""
    sentences = topic_sentences(3_000)
    path = write_lines(tmp_path / "corpus.txt", sentences)
    names = {"sentences": sentences, "path": path}
    exec(IMPORTS[module] + text + ASK, names)
    return names


@pytest.mark.parametrize("module", IMPORTS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_with_either_import(module, name, tmp_path, capsys):
    pytest.importorskip(module)
    names = run_script(SCRIPTS[name], module, tmp_path)
    assert {word[:3] for word in names["near"]} == {"t1w"}
    assert capsys.readouterr().out.startswith("Word2Vec<vocab=128, vector_size=24, alpha=0.0")


def test_lines_are_read_by_gensims_iterables(tmp_path, sentences):
    word2vec = pytest.importorskip("gensim.models.word2vec")
    (tmp_path / "parts").mkdir()
    path = write_lines(tmp_path / "parts" / "corpus.txt", sentences)
    expected = Word2Vec(sentences, **SMALL).wv.vectors
    for lines in (word2vec.LineSentence(path), word2vec.PathLineSentences(tmp_path / "parts")):
        np.testing.assert_array_equal(Word2Vec(lines, **SMALL).wv.vectors, expected)


# ---- one-shot iterables ----


def test_a_generator_is_read_once_and_trained_in_every_epoch(sentences):
    expected = Word2Vec(sentences, **SMALL).wv.vectors
    once = (sentence for sentence in sentences)
    model = Word2Vec(**SMALL)
    model.build_vocab(once)
    model.train(once, total_examples=model.corpus_count, epochs=model.epochs)
    np.testing.assert_array_equal(model.wv.vectors, expected)


def test_a_list_is_read_again(sentences):
    model = Word2Vec(**SMALL)
    growing = list(sentences)
    model.build_vocab(growing)
    growing += sentences[:100]
    assert model.train(growing).n_sentences == 700


# ---- attributes ----


def test_attributes_tell_the_settings(sentences):
    model = Word2Vec(sentences, sg=1, window=3, min_count=2, sample=0.01, hs=1, **SMALL)
    told = {"sg": 1, "hs": 1, "negative": 0, "window": 3, "min_count": 2, "sample": 0.01}
    told |= {"vector_size": 12, "layer1_size": 12, "workers": 1, "epochs": 2, "alpha": 0.025}
    told |= {"min_alpha": 1e-4, "seed": 1, "ns_exponent": 0.75, "cbow_mean": 1, "train_count": 1}
    told |= {"shrink_windows": True, "max_final_vocab": None, "comment": None}
    assert {name: getattr(model, name) for name in told} == told
    assert model.total_train_time > 0
    assert model.get_latest_training_loss() == model.running_training_loss == model.summary.loss
    assert model.syn1.shape == (len(model.wv) - 1, 12)
    with pytest.raises(AttributeError, match="a model with hs has no syn1neg"):
        _ = model.syn1neg
    with pytest.raises(AttributeError, match="a model without hs has no syn1"):
        _ = Word2Vec(sentences, **SMALL).syn1


def test_both_losses_have_both_output_matrices(sentences):
    model = Word2Vec(sentences, hs=1, negative=7, bias=True, **SMALL)
    assert (model.hs, model.negative) == (1, 7)
    n_words = len(model.wv)
    assert (len(model.syn1), len(model.syn1neg)) == (n_words - 1, n_words)
    assert np.array_equal(np.vstack([model.syn1, model.syn1neg]), model.output_vectors)
    assert model.syn1.any(axis=1).all()
    assert model.syn1neg.any(axis=1).all()
    hidden = model.wv["c1"]
    scores = model.syn1neg @ hidden + model.arrays.out_bias[n_words - 1 :]
    ((word, _),) = model.predict_output_word(["c1"], topn=1)
    assert word == model.wv.index_to_key[scores.argmax()]


def test_a_new_rate_holds_from_the_next_training(sentences):
    model = Word2Vec(sentences, alpha=0.05, min_alpha=0.01, **SMALL)
    model.alpha = 0.005
    assert (model.alpha, model.min_alpha) == (0.005, 0.005)
    model.epochs, model.workers, model.window = 3, 2, 2
    model.train(sentences)
    assert [record.lr for record in model.history[2:]] == pytest.approx([0.005] * 3)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        model.epochs = 0


def test_rates_of_one_call_are_forgotten(sentences):
    model = Word2Vec(sentences, **SMALL)
    model.train(sentences, epochs=1, start_alpha=0.03, end_alpha=0.02)
    assert model.history[-1].lr == pytest.approx(0.02)
    assert (model.epochs, model.min_alpha) == (2, 1e-4)


def test_counts_of_the_text_are_saved(sentences, tmp_path):
    model = Word2Vec(sentences, **SMALL)
    model.save(str(tmp_path / "word2vec.model"), separately=None, sep_limit=10, pickle_protocol=4)
    loaded = Word2Vec.load(str(tmp_path / "word2vec.model"), mmap="r")
    assert (loaded.corpus_count, loaded.corpus_total_words) == (600, 7200)
    with pytest.raises(TypeError, match="unexpected keyword argument 'compress'"):
        model.save(tmp_path / "m", compress=True)


# ---- predictions ----


@pytest.mark.parametrize("mean", [0, 1])
def test_words_are_predicted_as_in_gensim(sentences, mean):
    models = pytest.importorskip("gensim.models")
    ours = Word2Vec(sentences, cbow_mean=mean, **SMALL)
    theirs = models.Word2Vec(sentences, cbow_mean=mean, **SMALL)
    for word in theirs.wv.index_to_key:
        row = ours.wv.get_index(word)
        theirs.wv.vectors[theirs.wv.key_to_index[word]] = ours.wv.vectors[row]
        theirs.syn1neg[theirs.wv.key_to_index[word]] = ours.syn1neg[row]
    context = ["t1w1", "unheard", "c2", "t1w2"]
    expected = theirs.predict_output_word(context, topn=5)
    found = ours.predict_output_word(context, topn=5)
    assert [word for word, _ in found] == [word for word, _ in expected]
    np.testing.assert_allclose([p for _, p in found], [p for _, p in expected], rtol=1e-5)


def test_predictions_follow_the_topic():
    model = Word2Vec(topic_sentences(3_000), vector_size=24, workers=1, epochs=20, sample=0)
    found = model.predict_output_word(["t1w1", "t1w2", "t1w3"], topn=3)
    assert {word[:3] for word, _ in found} == {"t1w"}
    assert sum(chance for _, chance in model.predict_output_word(["c1"], topn=500)) == (
        pytest.approx(1)
    )
    with pytest.warns(UserWarning, match="none of the context words is in the vocabulary"):
        assert model.predict_output_word(["unheard"]) is None
    with pytest.raises(ValueError, match="predict_output_word needs an output row for each word"):
        Word2Vec(topic_sentences(), hs=1, **SMALL).predict_output_word(["c1"])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_trains_on_its_own(sentences, copied):
    model = Word2Vec(sentences, **SMALL)
    before = model.wv.vectors.copy()
    other = copied(model)
    other.train(sentences)
    np.testing.assert_array_equal(model.wv.vectors, before)
    assert (other.wv.vectors != before).any()
    model.train(sentences)
    np.testing.assert_array_equal(model.wv.vectors, other.wv.vectors)
