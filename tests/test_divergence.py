import os
import re

import numpy as np
import pytest
from training_case import make_trainer, random_spool

from fastw2v import KeyedVectors, Word2Vec
from fastw2v.errors import DivergedError, ModelFormatError
from fastw2v.training import divergence as divergence_module
from fastw2v.training.divergence import LossWatch, advice_for
from fastw2v.training.events import Counts, EpochRecord
from fastw2v.training.objectives import OBJECTIVES
from fastw2v.training.parameters import Parameters

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks")


def error_of(trainer):
    with pytest.raises(DivergedError) as caught:
        trainer.run()
    assert caught.value.exit_code == 6
    return str(caught.value)


@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns", "softmax"])
def test_a_loss_that_is_not_finite_ends_the_run(any_rate, objective):
    text = error_of(make_trainer(random_spool(), objective=objective, alpha=1e30))
    assert re.fullmatch(
        r"training diverged in epoch 1 at learning rate [\d.e+]+: the loss is no longer finite; "
        rf"start from a lower alpha than 1e\+30, such as {OBJECTIVES[objective].cbow.alpha}",
        text,
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_a_loss_that_blows_up_but_stays_finite_ends_the_run(workers):
    trainer = make_trainer(random_spool(), workers=workers)
    trainer.model_arrays.in_rows[:, :16] = trainer.model_arrays.out_rows[:, :16] = 100
    text = error_of(trainer)
    assert " nats a prediction, from 4.16 at the start; start from a lower alpha than 0.1," in text
    assert "the loss rose to " in text
    assert trainer.epoch == 0


def losses(total):
    return Counts(n_loss_predictions=10, loss_sum=total)


def test_the_watch_looks_at_each_interval_alone():
    watch = LossWatch(Parameters(), 6 * np.log(2))
    watch.check(losses(40.0), 1, 0.1)
    many = Counts(n_loss_predictions=1_000_000, loss_sum=4e6)
    watch.check(losses(40.0) + many, 1, 0.1)
    with pytest.raises(
        DivergedError, match=r"rose to 42 nats a prediction, from 4.16 at the start"
    ):
        watch.check(losses(40.0) + many + losses(420.0), 1, 0.1)


@pytest.mark.parametrize("total", [np.nan, np.inf])
def test_the_watch_sees_one_value_that_is_not_finite(total):
    with pytest.raises(DivergedError, match="the loss is no longer finite"):
        LossWatch(Parameters(), 4.0).check(losses(total), 1, 0.1)


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns", "softmax"])
def test_the_loss_at_the_start_is_that_of_zero_outputs(sg, objective):
    trainer = make_trainer(random_spool(), objective=objective, sg=sg, alpha=1e-12, loss_every=1)
    trainer.run()
    start = trainer._watch.start_loss
    assert trainer.history[0].loss == pytest.approx(start, rel=0.1)  # less the collisions
    assert trainer.history[0].loss < 1.02 * start


def epoch(loss, number=1):
    return EpochRecord(number, loss, 0.1, 100, 0, 100, 1.0)


def test_an_epoch_above_the_loss_at_the_start_ends_the_run():
    watch = LossWatch(Parameters(alpha=0.2), 4.0)
    watch.check_epoch(epoch(4.1), 1000)
    watch.check_epoch(epoch(None), 1000)
    watch.check_epoch(epoch(9.0), 100)  # too few to tell
    with pytest.raises(DivergedError) as caught:
        watch.check_epoch(epoch(4.4, 3), 1000)
    assert str(caught.value) == (
        "training diverged in epoch 3 at learning rate 0.1: its mean loss is 4.4 nats a "
        "prediction, above 4 at the start; start from a lower alpha than 0.2, such as 0.1"
    )


def test_a_trained_model_may_begin_another_text_with_a_high_loss():
    watch = LossWatch(Parameters(), 4.0, is_trained=True)
    watch.check_epoch(epoch(7.0), 1000)
    with pytest.raises(DivergedError, match="in epoch 2 at"):
        watch.check_epoch(epoch(7.0, 2), 1000)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"block_centres": 50, "alpha": 0.2}, "leave out block_centres; blocks are then"),
        ({"block_noise": 1, "noise_reuse": 9}, "leave out block_noise and noise_reuse; "),
        ({"schedule": lambda progress: 1.0}, "let the schedule return lower learning rates"),
        ({"alpha": 0.4}, "start from a lower alpha than 0.4, such as 0.1"),
        ({"alpha": 0.05, "sg": True}, "start from a lower alpha than 0.05, such as 0.025"),
    ],
)
def test_the_advice_names_the_setting_that_causes_it(settings, advice):
    assert advice_for(Parameters(**settings)).startswith(advice)


def diverged(sentences, **settings):
    """A model whose training ends with an error though all its values are finite."""
    model = Word2Vec(vector_size=8, epochs=1, workers=1, loss_every=1, **settings)
    model.build_vocab(sentences)
    model.arrays.in_rows[:, :8] = 3
    with pytest.raises(DivergedError) as caught, pytest.MonkeyPatch.context() as patch:
        patch.setattr(divergence_module, "ABOVE_START", 0.0)
        model.train(sentences)
    assert np.isfinite(model.wv.vectors).all()
    return model, str(caught.value)


def test_a_model_that_diverged_is_not_saved_unless_asked(tmp_path, sentences):
    model, text = diverged(sentences)
    message = f"{tmp_path}/v was not written: {text}; pass allow_non_finite=True to write it anyway"
    for write in (model.save, model.wv.save, model.wv.save_word2vec_format):
        with pytest.raises(DivergedError) as caught:
            write(tmp_path / "v")
        assert str(caught.value) == message
    assert os.listdir(tmp_path) == []
    model.save(tmp_path / "v", allow_non_finite=True)
    model.build_vocab(sentences)
    model.train()
    model.save(tmp_path / "v")
    model.wv.save(tmp_path / "v")


def test_a_vector_that_grows_too_long_is_told_with_its_word(monkeypatch, sentences):
    monkeypatch.setattr(divergence_module, "MAX_NORM", 0.5)
    with pytest.warns(
        UserWarning, match=r"^after epoch \d the vector of '\w+' has a norm of"
    ) as told:
        Word2Vec(sentences, vector_size=8, epochs=3, workers=1)
    assert len(told) == 1
    assert "well-trained vectors stay below 0.5; start from a lower alpha than" in str(
        told[0].message
    )


def test_vectors_that_were_long_before_are_no_warning(sentences):
    model = Word2Vec(vector_size=8, epochs=1, workers=1, sg=1, alpha=1e-12)
    model.build_vocab(sentences)
    model.arrays.in_rows[:, :8] *= 1000
    model.train()
    assert np.linalg.norm(model.wv.vectors, axis=1).max() > 100


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["in_rows", "out_rows", "out_bias"])
def test_a_value_that_is_not_finite_is_not_saved_unless_asked(tmp_path, sentences, name, value):
    model = Word2Vec(sentences, bias=True, vector_size=8, epochs=1, workers=1)
    getattr(model.arrays, name)[100] = value
    part = {"in_rows": "vectors", "out_rows": "output vectors", "out_bias": "output bias"}[name]
    message = f"{tmp_path}/v was not written: the {part} contain non-finite values; "
    message += "pass allow_non_finite=True to write it anyway"
    for format in ("native", "text"):
        with pytest.raises(DivergedError) as caught:
            model.save(tmp_path / "v", format)
        assert str(caught.value) == message
    if name == "in_rows":
        for write in (model.wv.save, model.wv.save_word2vec_format):
            with pytest.raises(DivergedError) as caught:
                write(tmp_path / "v")
            assert str(caught.value) == message
    assert os.listdir(tmp_path) == []
    model.save(tmp_path / "v", allow_non_finite=True)
    if name != "in_rows":
        KeyedVectors.load(tmp_path / "v")
    with pytest.raises(ModelFormatError, match="not finite"):
        Word2Vec.load(tmp_path / "v")
    Word2Vec.load(tmp_path / "v", allow_non_finite=True)
    vectors = KeyedVectors.load(tmp_path / "v", allow_non_finite=True).vectors
    assert np.isfinite(vectors).all() == (name != "in_rows")
    for write in (model.wv.save, model.wv.save_word2vec_format):
        write(tmp_path / "v", allow_non_finite=True)


def test_the_error_sends_a_user_of_an_own_schedule_to_that(any_rate, sentences):
    with pytest.raises(
        DivergedError, match=r": the loss .*; let the schedule return lower learning rates$"
    ):
        Word2Vec(sentences, schedule=lambda progress: 1e4, vector_size=8, epochs=2, workers=1)


def test_values_that_no_loss_has_seen_are_found_at_the_end(monkeypatch):
    trainer = make_trainer(random_spool())
    monkeypatch.setattr(trainer, "check", lambda now: None)
    trainer.model_arrays.in_rows[3, 2] = np.inf
    assert error_of(trainer).startswith("training diverged: the ")


class Poison:
    """Puts a value that is not finite into a model at the start of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, model):
        if len(model.history) == self.epoch:
            model.arrays.in_rows[:5] = np.nan


@pytest.mark.parametrize("workers", [1, 3])
def test_the_last_good_checkpoint_is_kept_and_named(tmp_path, sentences, workers):
    settings = {"checkpoint": tmp_path / "run", "vector_size": 8, "epochs": 5, "workers": workers}
    with pytest.raises(DivergedError) as caught:
        Word2Vec(sentences, callbacks=[Poison(2)], checkpoint_every=0, **settings)
    files = sorted(os.listdir(tmp_path / "run"))
    assert files[-1] == "checkpoint-000000000014400.safetensors"  # after two epochs of 7,200
    text = str(caught.value)
    assert text.endswith(f"; the last good checkpoint is {tmp_path}/run/{files[-1]}")
    for name in files:
        good = Word2Vec.load(tmp_path / "run" / name)
        assert np.isfinite(good.wv.vectors).all()


def test_a_checkpoint_is_not_written_of_values_that_are_not_finite(tmp_path, sentences):
    class Late(Poison):
        def on_epoch_end(self, model):
            if len(model.history) == self.epoch:
                model.arrays.out_rows[7] = np.inf

    settings = {"checkpoint": tmp_path / "run", "vector_size": 8, "epochs": 5, "workers": 1}
    with pytest.raises(DivergedError, match="the output vectors contain non-finite values; "):
        Word2Vec(sentences, callbacks=[Late(3)], **settings)
    assert max(os.listdir(tmp_path / "run")) == "checkpoint-000000000014400.safetensors"


def test_the_limit_leaves_room_for_what_recovers():
    assert divergence_module.BLOW_UP >= 5
