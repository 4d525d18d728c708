import math

import numpy as np
import pytest
from cli_case import fails, train
from small_model import SMALL, same_bits
from training_case import random_spool, recorded_calls, trained

from fastw2v import Word2Vec
from fastw2v.errors import UsageError
from fastw2v.formats import read_vectors, write_vectors
from fastw2v.training import trainer as trainer_module
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import chunk_order

pytestmark = pytest.mark.usefixtures("no_thread_left")


def cooling(progress):
    return 0.05 / (1 + progress)


SHAPES = {
    "linear": lambda p: 0.06 - 0.04 * p,
    "constant": lambda p: 0.06 + 0 * p,
    "cosine": lambda p: 0.02 + 0.02 * (1 + np.cos(np.pi * p)),
    cooling: cooling,
}


@pytest.mark.parametrize("workers", [1, 5])
@pytest.mark.parametrize("schedule", SHAPES)
def test_the_rate_follows_the_progress_over_all_epochs_and_threads(
    monkeypatch, small_chunks, workers, schedule
):
    seen = recorded_calls(monkeypatch)
    spool = random_spool()
    rates = {"alpha": 0.06, "min_alpha": 0.02, "schedule": schedule, "objective": "hs"}
    trained(spool, epochs=3, workers=workers, seed=5, **rates)
    epochs = {trainer_module.epoch_key(5, e): e for e in range(3)}
    turns = [np.argsort(chunk_order(5, e, 11)) for e in range(3)]
    done = np.array(
        [
            (e := epochs[key]) * spool.n_tokens + 500 * turns[e][token // 500]
            for key, token, _ in seen
        ]
    )
    rates = np.array([rate for *_, rate in seen])
    assert sorted(done.tolist()) == [e * 5_200 + i * 500 for e in range(3) for i in range(11)]
    np.testing.assert_allclose(rates, SHAPES[schedule](done / (3 * 5_200)), rtol=1e-12)


def test_the_history_tells_each_epochs_last_rate():
    rates = {
        schedule: [e.lr for e in trained(random_spool(), **settings).history]
        for schedule, settings in [
            ("linear", {"epochs": 4, "alpha": 0.04, "min_alpha": 0.02}),
            ("cosine", {"epochs": 2, "alpha": 0.04, "min_alpha": 0.02, "schedule": "cosine"}),
            ("constant", {"epochs": 2, "alpha": 1e-5, "schedule": "constant"}),
        ]
    }
    np.testing.assert_allclose(rates["linear"], [0.035, 0.03, 0.025, 0.02])
    np.testing.assert_allclose(rates["cosine"], [0.03, 0.02])
    assert rates["constant"] == [1e-5, 1e-5]


def test_a_function_that_is_linear_trains_like_linear(sentences):
    rates = {"alpha": 0.125, "min_alpha": 0.0625}
    by_name = Word2Vec(sentences, **rates, **SMALL)
    by_function = Word2Vec(sentences, schedule=lambda p: 0.125 - 0.0625 * p, **rates, **SMALL)
    constant = Word2Vec(sentences, schedule="constant", **rates, **SMALL)
    assert same_bits(by_name, by_function)
    assert not same_bits(by_name, constant)


@pytest.mark.parametrize("schedule", ["step", "", None, 3, dict])
def test_what_is_no_schedule_is_an_error(schedule):
    expected = "schedule must be linear, constant, cosine or a function of the progress from 0 to 1"
    with pytest.raises(UsageError, match=f"{expected}, got "):
        Parameters(schedule=schedule)


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, None, "0.1"])
def test_a_function_that_gives_no_rate_is_an_error_before_training(rate):
    with pytest.raises(UsageError, match="schedule must return learning rates of at least 0, got"):
        Parameters(schedule=lambda progress: rate)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_function_that_fails_later_ends_the_run(small_chunks, workers):
    def schedule(progress):
        return 1 / (progress in (0, 0.5, 1))

    with pytest.raises(ZeroDivisionError):
        trained(random_spool(), schedule=schedule, workers=workers)


def test_a_file_names_the_schedule(tmp_path, sentences):
    path = tmp_path / "m"
    Word2Vec(sentences, schedule="cosine", **SMALL).save(path)
    assert Word2Vec.load(path).parameters.schedule == "cosine"
    Word2Vec(sentences, schedule=cooling, **SMALL).save(path)
    assert read_vectors(path).settings["schedule"] == "own: test_schedule:cooling"
    with pytest.warns(
        UserWarning,
        match="was the function test_schedule:cooling, which",
    ):
        model = Word2Vec.load(path)
    assert model.parameters.schedule == "linear"


def test_a_file_without_a_schedule_is_linear(tmp_path, sentences):
    path = tmp_path / "m"
    Word2Vec(sentences, **SMALL).save(path)
    data = read_vectors(path)
    del data.settings["schedule"]
    write_vectors(path, data, "native")
    assert Word2Vec.load(path).parameters.schedule == "linear"


def test_the_command_line_takes_a_name_or_a_function(folder, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    (folder / "my_rates.py").write_text("def halved(progress):\n    return 0.1 * 0.5**progress\n")
    for given, stored in [("cosine", "cosine"), ("my_rates:halved", "own: my_rates:halved")]:
        assert train("corpus.txt", "-o", "v", "--schedule", given) == 0
        assert read_vectors("v").settings["schedule"] == stored
    (folder / "run.toml").write_text('schedule = "constant"\n')
    assert train("corpus.txt", "-o", "v", "--config", "run.toml") == 0
    assert read_vectors("v").settings["schedule"] == "constant"
    capsys.readouterr()
    fails(capsys, ["train", "corpus.txt", "-o", "w", "--schedule", "step"], 2,
          "--schedule must be linear, constant, cosine or a function of the progress from 0 to 1, "
          "got 'step'")  # fmt: skip
    fails(capsys, ["train", "corpus.txt", "-o", "w", "--schedule", "my_rates:"], 2,
          "--schedule must be given as module:function, got 'my_rates:'")  # fmt: skip
