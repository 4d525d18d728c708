import threading

import numpy as np
import pytest
from small_corpus import topic_sentences
from small_model import SMALL, same_bits
from training_case import make_trainer, random_spool

from fastw2v import Word2Vec
from fastw2v.errors import UsageError
from fastw2v.training import events as callbacks
from fastw2v.training.events import Counts, StopTraining

pytestmark = pytest.mark.usefixtures("no_thread_left", "small_chunks", "no_second_passes")

EVENTS = callbacks.EVENTS


class Noting:
    """Notes what it is told, and runs a function at one of the events."""

    def __init__(self, at=None, action=None):
        self.at, self.action = at, action
        self.events, self.models, self.reports, self.threads = [], [], [], set()

    def note(self, event, model, *args):
        self.events.append(event)
        self.models.append(model)
        self.reports += args
        self.threads.add(threading.current_thread())
        if event == self.at:
            self.action()


for name in EVENTS:
    setattr(Noting, name, lambda self, model, *args, event=name: self.note(event, model, *args))


class Inert:
    """Only hears that training begins."""

    def on_train_begin(self, model):
        self.loss = model.history


def fail():
    raise RuntimeError("seen enough")


def stop():
    raise StopTraining("good enough")


@pytest.mark.parametrize("workers", [1, 3])
def test_events_come_in_order_in_the_main_thread(sentences, workers):
    noting = Noting()
    model = Word2Vec(sentences, callbacks=[Inert(), noting], **SMALL | {"workers": workers})
    without = [event for event in noting.events if event != "on_interval"]
    epoch = ["on_epoch_begin", "on_epoch_end"]
    assert without == ["on_train_begin", *epoch, *epoch, "on_train_end"]
    assert set(noting.models) == {model}
    assert noting.threads == {threading.main_thread()}
    place = noting.events.index("on_interval")
    assert noting.events[place - 1] == "on_epoch_begin"
    assert noting.events[noting.events.index("on_epoch_end") - 1] == "on_interval"
    assert [report.epoch for report in noting.reports] == [1, 2]
    assert noting.reports[-1].done == noting.reports[-1].total


def test_callbacks_see_the_model_as_it_is():
    seen = []

    class Watching:
        def on_epoch_end(self, model):
            seen.append((len(model.history), model.history[-1].loss, model.wv["c1"].copy()))
            seen[-1] += (model.wv.norms[0],)

    model = Word2Vec(topic_sentences(), callbacks=[Watching()], **SMALL)
    assert [n for n, *_ in seen] == [1, 2]
    assert [loss for _, loss, *_ in seen] == [epoch.loss for epoch in model.history]
    assert (seen[0][2] != seen[1][2]).any()
    np.testing.assert_array_equal(seen[1][2], model.wv["c1"])
    assert seen[0][3] != seen[1][3] == model.wv.norms[0]


def test_callbacks_do_not_change_what_is_trained(sentences):
    assert same_bits(
        Word2Vec(sentences, callbacks=[Noting()], **SMALL), Word2Vec(sentences, **SMALL)
    )


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("event", EVENTS)
def test_an_exception_in_a_callback_reaches_the_caller(event, workers):
    noting = Noting(event, fail)
    model = Word2Vec(callbacks=[noting], **SMALL | {"workers": workers})
    model.build_vocab(topic_sentences())
    with pytest.raises(RuntimeError, match="seen enough"):
        model.train()
    assert noting.events[-1] == event
    assert noting.events.count(event) == 1
    model.train(topic_sentences(), callbacks=())  # goes on from where it stood
    assert np.isfinite(model.wv.vectors).all()


@pytest.mark.parametrize("event", EVENTS)
def test_stop_training_ends_the_run_in_good_order(sentences, event):
    other = Noting()
    model = Word2Vec(sentences, callbacks=[Noting(event, stop), other], **SMALL)
    n_epochs = {"on_interval": 1, "on_epoch_end": 1, "on_train_end": 2}.get(event, 0)
    assert len(model.history) == n_epochs
    assert other.events[-1] == "on_train_end"
    assert model.summary.stopped == (None if event == "on_train_end" else "good enough")


def test_callbacks_of_train_replace_those_of_the_model(sentences):
    first, second = Noting(), Noting()
    model = Word2Vec(callbacks=[first], **SMALL)
    model.build_vocab(sentences)
    model.train(callbacks=[second])
    assert first.events == []
    assert second.events[-1] == "on_train_end"


@pytest.mark.parametrize("given", [print, Noting, "on_epoch_end"])
def test_what_is_no_callback_is_an_error(given):
    with pytest.raises(UsageError, match="a callback must be an object with a method on_train_beg"):
        Word2Vec(callbacks=[given])


def test_one_callback_without_a_list_is_an_error():
    with pytest.raises(UsageError, match="callbacks must be a list of objects, got <"):
        Word2Vec(callbacks=Noting())


def test_gensims_callbacks_work_as_they_are(sentences):
    gensim = pytest.importorskip("gensim.models.callbacks")

    class EpochLogger(gensim.CallbackAny2Vec):
        def __init__(self):
            self.epoch = 0

        def on_epoch_end(self, model):
            self.epoch += len(model.wv.vectors) > 0

    logger = EpochLogger()
    Word2Vec(sentences, callbacks=[logger, gensim.CallbackAny2Vec()], **SMALL)
    assert logger.epoch == 2


# ---- the user's iterator ----


def failing(n_sentences=500):
    yield from topic_sentences(n_sentences)
    raise ZeroDivisionError("in the generator")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("pass_", ["constructor", "build_vocab", "train"])
def test_an_exception_in_the_users_iterator_reaches_the_caller(pass_, workers):
    settings = SMALL | {"workers": workers}
    model = Word2Vec(**settings)
    if pass_ == "train":
        model.build_vocab(topic_sentences())
    with pytest.raises(ZeroDivisionError, match="in the generator"):
        if pass_ == "constructor":
            Word2Vec(failing(), **settings)
        else:
            getattr(model, pass_)(failing())


def test_an_exception_in_a_tokenizer_reaches_the_caller(file):
    lines = []

    def split(line):
        lines.append(line)
        if "t3" in line:
            raise ZeroDivisionError("in the tokenizer")
        return line.split()

    with pytest.raises(ZeroDivisionError, match="in the tokenizer"):
        Word2Vec(corpus_file=file, tokenizer=split, **SMALL)
    assert ["t3" in line for line in lines].index(True) == len(lines) - 1  # no line after it


class Clock:
    """Seconds that pass when it is told so."""

    now = 0.0

    def perf_counter(self):
        return self.now


def test_intervals_are_throttled_and_tell_the_loss_since_the_last(monkeypatch):
    class Seldom(callbacks.Listener):
        interval_seconds = 1.0

    clock, heard = Clock(), []
    seldom, often = Seldom(), callbacks.Listener()
    for name, listener in (("seldom", seldom), ("often", often)):
        listener.on_interval = lambda run, report, name=name: heard.append((name, report))
    monkeypatch.setattr(callbacks, "time", clock)
    trainer = make_trainer(random_spool())
    audience = callbacks.Audience(trainer, [seldom, often])
    for i in range(1, 13):
        clock.now = 0.25 * i
        audience.tell_progress(Counts(i, 0, i, i, float(i * i)), is_last=i == 12)
    told = {name: [r for n, r in heard if n == name] for name in ("seldom", "often")}
    assert [report.n_tokens for report in told["often"]] == list(range(1, 13))
    assert [report.n_tokens for report in told["seldom"]] == [4, 8, 12]
    assert [report.loss for report in told["seldom"]] == [4, 12, 20]
    assert [report.loss for report in told["often"]] == [2 * i - 1 for i in range(1, 13)]
