"""Runs that end early, with the rows of their best epoch, over an interruption."""

import os

import pytest
from overfitted_model import FEW, OTHERS, OVERFIT, overfitted
from small_corpus import write_lines
from small_model import same_bits
from training_case import interrupt_chunk

from fastw2v import Word2Vec
from fastw2v.errors import CheckpointError
from fastw2v.formats import read_vectors

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks")
RUN = {"checkpoint": "run", "patience": 2, "restore_best": True}
CHUNKS = 2  # of an epoch


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def interrupted(monkeypatch, n_chunks, **options):
    """Train until Ctrl-C comes in this chunk, counted from 1."""
    with monkeypatch.context() as patch:
        interrupt_chunk(patch, n_chunks)
        with pytest.raises(KeyboardInterrupt, match="resume from run/"):
            overfitted(**RUN | options)


def newest():
    return f"run/{max(os.listdir('run'))}"


@pytest.mark.parametrize(
    "mode", [{}, {"sg": 0, "hs": 1, "bias": True}, {"hs": 1, "negative": 5}, {"bias": "both"}]
)
def test_the_best_rows_come_back_in_a_resumed_run(monkeypatch, mode):
    whole = overfitted(patience=2, restore_best=True, **mode)
    best, n_epochs = whole.summary.best_epoch, len(whole.history)
    # Before the best epoch is known, in the next, in the last; in the middle of each.
    for epoch in (best, best + 1, n_epochs):
        interrupted(monkeypatch, CHUNKS * (epoch - 1) + 1, **mode)
        holds_copy = "best_vectors" in read_vectors(newest()).extra_arrays
        assert holds_copy == (epoch > 1)  # within an epoch the rows are no longer the best ones
        model = overfitted(resume=True, **RUN, **mode)
        assert same_bits(model, whole)
        assert [e.validation_loss for e in model.history] == [
            e.validation_loss for e in whole.history
        ]
        s = model.summary
        assert (s.best_epoch, s.restored_epoch, s.stopped) == (best, best, whole.summary.stopped)
        check_that_the_end_is_kept(model)
        for name in os.listdir("run"):
            os.unlink(f"run/{name}")


def check_that_the_end_is_kept(model):
    """The last checkpoint is the model with its best rows, and training it again adds nothing."""
    assert model.last_checkpoint == newest()
    kept = read_vectors(newest())
    assert kept.vectors.tobytes() == model.wv.vectors.tobytes()
    assert not kept.extra_arrays
    assert (kept.input_bias is None) == (model.input_bias is None)
    mode = {name: getattr(model, name) for name in ("sg", "hs", "negative")}
    again = overfitted(resume=True, bias=model.parameters.bias, **RUN, **mode)
    assert same_bits(again, model)
    assert again.summary.restored_epoch == model.summary.restored_epoch


def test_the_best_rows_come_back_after_all_epochs_of_a_resumed_run(monkeypatch):
    options = {"epochs": 10, "patience": None}
    whole = overfitted(restore_best=True, **options)
    assert whole.summary.best_epoch < 10
    interrupted(monkeypatch, CHUNKS * 8 + 1, **options)
    model = overfitted(resume=True, **RUN | options)
    assert same_bits(model, whole)
    assert read_vectors(newest()).vectors.tobytes() == model.wv.vectors.tobytes()


def test_the_copy_is_left_out_where_the_rows_are_the_best():
    overfitted(epochs=1, **RUN)
    assert not read_vectors(newest()).extra_arrays


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"patience": 3}, "patience was 2, is now 3"),
        ({"restore_best": False}, "restore_best was True, is now False"),
        ({"validation": OTHERS[:9]}, "tokens to validate on was 3508, is now 108"),
        ({"validation": OTHERS[::-1]}, "the validation text is different"),
        ({"validation": None, "metric": len}, "validation was 'text', is now None; "),
    ],
)
def test_another_criterion_is_an_error_that_names_it(monkeypatch, options, difference):
    interrupted(monkeypatch, CHUNKS + 1)
    with pytest.raises(CheckpointError) as caught:
        overfitted(resume=True, **RUN | {"metric": None} | options)
    assert str(caught.value).startswith(f"cannot resume from {newest()}: {difference}")


def test_another_corpus_is_told_before_what_follows_from_it(monkeypatch):
    interrupted(monkeypatch, CHUNKS + 1)
    with pytest.raises(CheckpointError, match="the corpus differs: tokens read was 720, is now 3"):
        Word2Vec(OTHERS, **OVERFIT | RUN | {"validation": FEW, "resume": True})


def test_another_share_is_told_as_such(monkeypatch):
    interrupted(monkeypatch, CHUNKS + 1, validation=0.1)
    with pytest.raises(CheckpointError, match=r"tensors: validation was 0\.1, is now 0\.2; "):
        overfitted(resume=True, **RUN | {"validation": 0.2})


def test_resume_knows_the_criterion(tmp_path, monkeypatch):
    text = write_lines(tmp_path / "others", OTHERS)
    whole = overfitted(patience=2, restore_best=True, validation=text)
    interrupted(monkeypatch, CHUNKS * 2 + 1, validation="others")
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    model = Word2Vec.resume("../run", FEW)
    assert same_bits(model, whole)
    assert model.summary.restored_epoch == whole.summary.restored_epoch


def test_resume_asks_for_what_no_file_holds(monkeypatch):
    interrupted(monkeypatch, CHUNKS + 1, metric=measure)
    with pytest.raises(CheckpointError, match=r"its validation was a Python iterable .*; pass it"):
        Word2Vec.resume("run", FEW)
    with pytest.raises(CheckpointError, match="pass the run's metric, measure"):
        Word2Vec.resume("run", FEW, validation=OTHERS)
    assert Word2Vec.resume("run", FEW, validation=OTHERS, metric=measure).summary.best_epoch


def measure(model):
    return -model.history[-1].loss if model.history else 0.0
