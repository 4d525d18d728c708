"""Small streams, the trainers that run over them, and runs that are stopped at a chosen chunk."""

import itertools
import os
import signal
import threading

import numpy as np

from fastw2v import _core
from fastw2v.base import threads
from fastw2v.base.threads import run_threads
from fastw2v.corpus import Spool, VocabularyRules
from fastw2v.training import trainer as trainer_module
from fastw2v.training.arrays import build_arrays
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer

MODES = [(sg, name) for sg in (True, False) for name in ("ns", "hs", "hs+ns", "softmax")]
RULES = VocabularyRules(min_count=1)
HANG_SECONDS = 60  # a test that waits so long hangs; one that passes does not wait for it


def random_spool(n_tokens=5_200, n_words=40, sentence_tokens=13, seed=0):
    """Return a spool of random words, the first ones frequent."""
    ids = np.random.default_rng(seed).geometric(0.12, n_tokens).clip(1, n_words) - 1
    ends = np.append(np.arange(sentence_tokens, n_tokens, sentence_tokens), n_tokens)
    return Spool.from_arrays(ids.astype(np.int32), ends.astype(np.int64))


def counts_of(spool, n_words=40):
    """Return the counts of a spool's words, at least 1, most frequent first."""
    counts = np.bincount(spool.read_tokens(0, spool.n_tokens), minlength=n_words)
    return np.sort(counts + 1)[::-1].astype(np.int64)


def make_trainer(spool, **settings):
    """Return a trainer of a small model."""
    parameters = Parameters(**{"vector_size": 16, "epochs": 2, "sample": 0.005} | settings)
    return Trainer(parameters, build_arrays(parameters, counts_of(spool)), spool)


def trained(spool, **settings):
    """Return a trainer that has run."""
    trainer = make_trainer(spool, **settings)
    trainer.run()
    return trainer


def recorded_calls(monkeypatch):
    """Return a list that collects (epoch key, first centre, rate) of each chunk trained."""
    seen = []

    class Recording(_core.Worker):
        def train(self, chunk, epoch_key, lr, block):
            seen.append((epoch_key, chunk.first_token + chunk.centre_begin, lr))
            return super().train(chunk, epoch_key, lr, block)

    monkeypatch.setattr(_core, "Worker", Recording)
    return seen


def recorded_stops(monkeypatch):
    """Return a list that collects, each time threads start training, the event that stops them."""
    stops = []

    def recording(bodies, stop, *how):
        stops.append(stop)
        run_threads(bodies, stop, *how)

    monkeypatch.setattr(trainer_module, "run_threads", recording)
    return stops


def interrupt_chunk(monkeypatch, number):
    """Send Ctrl-C while chunk `number` is trained, counted from 1 over all runs.

    It and the chunks after it wait until the run is being stopped, so that no thread takes
    another one meanwhile. Held-out text does not count. Returns a list that collects
    (epoch key, first centre) of each chunk trained.
    """
    stops, numbers, seen = recorded_stops(monkeypatch), itertools.count(1), []
    reached, stop = threading.Event(), []

    class Interrupted(_core.Worker):
        def train(self, chunk, epoch_key, lr, block):
            if lr > 0:  # it is 0 for held-out text
                seen.append((epoch_key, chunk.first_token + chunk.centre_begin))
                if (i := next(numbers)) == number:
                    stop.append(stops[-1])
                    reached.set()
                    os.kill(os.getpid(), signal.SIGINT)
                if i >= number:
                    assert reached.wait(HANG_SECONDS) and stop[0].wait(HANG_SECONDS)
            return super().train(chunk, epoch_key, lr, block)

    monkeypatch.setattr(_core, "Worker", Interrupted)
    return seen


def interrupt_third_start(monkeypatch):
    """Let Ctrl-C come when the third thread is to start."""

    class Interrupted(threads.Thread):
        n_started = 0

        def start(self):
            if Interrupted.n_started == 2:
                raise KeyboardInterrupt
            Interrupted.n_started += 1
            super().start()

    monkeypatch.setattr(threads, "Thread", Interrupted)
