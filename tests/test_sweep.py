"""How the sweep over settings measures and judges."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("the benchmarks are not part of this copy", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))

import settings  # noqa: E402
from harness import corpora, held_out, side_by_side  # noqa: E402
from harness.results import write_json  # noqa: E402
from harness.sweep import MODELS, SETTINGS, SHORT, Setting  # noqa: E402

from fastw2v import Word2Vec  # noqa: E402

SMALL = {"min_count": 1, "vector_size": 8, "epochs": 1, "sample": 0}


def drawn(setting, corpus=None):
    corpus = corpus or corpora.topics(3, 5, 400, 4)
    vocabulary = held_out.Vocabulary.of(corpus, setting.settings["min_count"])
    return corpus, vocabulary, held_out.Predictions.draw(setting, corpus, vocabulary)


def test_names_are_unique_and_there_are_enough_settings():
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names) >= 150
    assert {setting.corpus for setting in SETTINGS} == corpora.CORPORA.keys()


def test_the_short_form_needs_no_data(monkeypatch, tmp_path):
    monkeypatch.setattr(corpora, "DATA", tmp_path)
    assert all(corpora.CORPORA[setting.corpus]().held_out for setting in SHORT)
    with pytest.raises(FileNotFoundError):
        corpora.CORPORA["wiki1M"]()


def test_zero_vectors_lose_log_2_for_each_output_met():
    _, _, predictions = drawn(Setting("", "sg-ns", SMALL | {"negative": 7}))
    n_met = 1 + (predictions.negatives != predictions.targets[:, None]).sum() / len(predictions)
    zeros = held_out.Rows(np.zeros((15, 8)), np.zeros((15, 8)))
    assert predictions.loss(zeros) == pytest.approx(n_met * math.log(2))


@pytest.mark.parametrize("cbow_mean", [0, 1])
def test_the_loss_is_that_of_each_prediction_alone(rng, cbow_mean):
    setting = Setting("", "cbow-ns", SMALL | {"cbow_mean": cbow_mean})
    _, _, predictions = drawn(setting)
    rows = held_out.Rows(rng.normal(size=(15, 8)), rng.normal(size=(15, 8)))
    total = 0.0
    for i, target in enumerate(predictions.targets):
        bag = rows.inputs[predictions.inputs[predictions.begin[i] : predictions.begin[i + 1]]]
        hidden = bag.mean(0) if cbow_mean else bag.sum(0)
        total += math.log1p(math.exp(-hidden @ rows.outputs[target]))
        for word in predictions.negatives[i][predictions.negatives[i] != target]:
            total += math.log1p(math.exp(hidden @ rows.outputs[word]))
    assert predictions.loss(rows) == pytest.approx(total / len(predictions))


def test_probabilities_along_the_paths_add_up_to_1(rng):
    setting = Setting("", "sg-hs", SMALL)
    corpus, vocabulary, _ = drawn(setting)
    trained = Word2Vec(corpus.train, progress=False, **side_by_side.arguments(setting))
    paths, hidden = side_by_side.rows_of(trained, vocabulary).paths, rng.normal(size=(1, 8))
    outputs = rng.normal(size=(14, 8))
    losses = [held_out.path_loss(hidden, outputs, paths, np.array([word])) for word in range(15)]
    assert np.exp(-np.array(losses)).sum() == pytest.approx(1)


@pytest.mark.parametrize("model", MODELS)
def test_the_loss_is_the_one_that_validation_reports(model):
    # Each draws its own windows and negative samples: the losses differ by up to 1.2 %.
    setting = Setting("", model, SMALL | {"epochs": 3, "workers": 1})
    corpus, vocabulary, predictions = drawn(setting, corpora.topics(3, 100, 8000, 4))
    settings_ = side_by_side.arguments(setting)
    trained = Word2Vec(corpus.train, validation=corpus.held_out, **settings_)
    loss = predictions.loss(side_by_side.rows_of(trained, vocabulary))
    assert loss == pytest.approx(trained.history[-1].validation_loss, rel=0.03)


def run(loss, norm=1.0, zero_loss=4.0, **measures):
    return {"loss": loss, "largest_norm": norm, "zero_loss": zero_loss, **measures}


@pytest.mark.parametrize(
    ("ours", "peers", "expected"),
    [
        ([2.0], [2.0], ""),
        ([2.02], [2.0], "loss"),
        ([2.02, 2.02, 2.02], [2.0, 2.0, 2.0], "loss"),
        ([2.02, 2.02, 2.02], [2.03, 2.0, 1.97], ""),
        ([2.05, 2.02, 1.99], [2.0, 2.0, 2.0], ""),
    ],
)
def test_a_loss_is_short_by_more_than_the_margin_and_the_spreads(ours, peers, expected):
    assert settings.gap([run(loss) for loss in ours], [run(loss) for loss in peers]) == expected


def test_a_loss_that_only_the_spread_excuses_is_told():
    result = {"short": "", "ours": [run(2.5), run(2.1)], "peer": [run(2.0), run(2.0)]}
    assert settings.hidden_by_spread(result) == pytest.approx(0.4)
    assert "within the spread of 0.400" in settings.line(
        result | {"name": "a", "peer_name": "b", "seconds": 1.0}
    )
    assert settings.hidden_by_spread(result | {"ours": [run(2.005), run(2.0)]}) == 0


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ({"error": "DivergedError: too fast"}, "DivergedError: too fast"),
        (run(None), "not finite"),
        (run(4.5, norm=4.0), "worse than zero vectors"),
        (run(3.5, norm=4.0), ""),
        (run(4.5, norm=2.0), ""),
    ],
)
def test_errors_infinities_and_large_norms_fall_short(ours, expected):
    assert settings.fault([ours], [run(2.0)]) == expected


@pytest.mark.parametrize(
    ("ours", "peers", "is_short"),
    [(0.89, 0.96, True), (0.91, 0.96, False), (0.4, 0.46, True), (0.42, 0.46, False)],
)
def test_shares_of_own_topic_fall_short(ours, peers, is_short):
    assert bool(settings.gap([run(2.0, share=ours)], [run(2.0, share=peers)])) == is_short


def test_the_share_of_own_topic_counts_the_nearest_words():
    topics = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 1}
    vocabulary = held_out.Vocabulary(list(topics), np.ones(6), np.ones(6))
    rows = np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.0], [0.1, 1.0], [0.2, 1.0], [1.0, 0.15]])
    share = held_out.share_of_own_topic(held_out.Rows(rows, rows), vocabulary, topics)
    assert share == pytest.approx(5 / 12)  # of two each: f is among a, b and c


def test_gensims_figures_are_taken_from_an_earlier_file(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "version", {"gensim": "4.4.0"}.get)
    record = {"name": "a", "settings": {"window": 5}, "corpus_hash": "f", "peer_name": "gensim"}
    path = tmp_path / "earlier.json"
    write_json(path, {"gensim": "4.4.0", "results": [record | {"peer": [run(2.0, seed=1)]}]})
    figures = settings.PeerFigures([path])
    assert figures.find(record, 1) == run(2.0, seed=1)
    for name, value in (("settings", {"window": 6}), ("corpus_hash", "g"), ("name", "b")):
        assert figures.find(record | {name: value}, 1) is None
    assert figures.find(record, 2) is None
    assert figures.find(record | {"peer_name": "smallest step"}, 1) is None
    monkeypatch.setattr(settings, "version", {"gensim": "4.4.1"}.get)
    assert settings.PeerFigures([path]).find(record, 1) is None
