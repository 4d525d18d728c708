import contextlib
import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest
from training_case import (
    MODES,
    counts_of,
    interrupt_third_start,
    make_trainer,
    random_spool,
    trained,
)

from fastw2v import _core
from fastw2v.training import trainer as trainer_module
from fastw2v.training.arrays import HotRows, build_arrays
from fastw2v.training.events import ObserverListener
from fastw2v.training.objectives import FULL_SOFTMAX, NEGATIVE_SAMPLING
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer
from fastw2v.training.windows import Contexts

pytestmark = pytest.mark.usefixtures("no_thread_left")


class SlowStream:
    """A stream whose reads take a while; at one of them, counted from 0, it runs a function."""

    def __init__(self, at, action, seconds=0.02):
        self.spool, self.at, self.action, self.seconds = random_spool(30_000), at, action, seconds
        self.n_tokens, self.n_inside = self.spool.n_tokens, 0
        self.n_sentences = self.spool.n_sentences
        self.n_read, self.numbers = 0, itertools.count()

    def chunks(self, chunk_tokens, margin_tokens):
        self.table = self.spool.chunks(chunk_tokens, margin_tokens)
        return self

    def __len__(self):
        return len(self.table)

    def read(self, index):
        self.n_inside += 1
        self.n_read += 1
        try:
            if next(self.numbers) == self.at:
                self.action()
            time.sleep(self.seconds)
            return self.table.read(index)
        finally:
            self.n_inside -= 1

    def trainer(self, workers=1, **settings):
        parameters = Parameters(vector_size=16, epochs=2, workers=workers, **settings)
        return Trainer(parameters, build_arrays(parameters, counts_of(self.spool)), self)


# ---- what is trained ----


@pytest.mark.parametrize("workers", [1, 2, 5, 64])
@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_every_token_is_trained_or_subsampled(small_chunks, sg, objective, workers):
    spool = random_spool()
    trainer = trained(spool, sg=sg, objective=objective, workers=workers)
    counts = trainer.counts()
    assert len(trainer.workers) == min(workers, len(trainer.chunks))
    assert counts.n_trained + counts.n_subsampled == 2 * spool.n_tokens
    assert counts.n_trained > 0
    assert counts.n_subsampled > 0
    assert counts.n_predictions > counts.n_loss_predictions > 0
    assert sum(e.n_trained for e in trainer.history) == counts.n_trained
    assert [e.n_trained + e.n_subsampled for e in trainer.history] == [spool.n_tokens] * 2


@pytest.mark.parametrize("workers", [1, 5])
@pytest.mark.parametrize(("sg", "objective"), MODES)
@pytest.mark.parametrize("sentence_tokens", [1, 5_200])
def test_sentences_of_any_length_add_up(small_chunks, sg, objective, workers, sentence_tokens):
    spool = random_spool(sentence_tokens=sentence_tokens)
    counts = trained(spool, sg=sg, objective=objective, workers=workers).counts()
    assert counts.n_trained + counts.n_subsampled == 2 * spool.n_tokens
    assert (counts.n_predictions == 0) is (sentence_tokens == 1)


def test_workers_share_the_same_draws(small_chunks):
    sums = {workers: trained(random_spool(), workers=workers).counts() for workers in (1, 2, 5)}
    assert len({(c.n_trained, c.n_predictions) for c in sums.values()}) == 1


@pytest.mark.parametrize(("n_floats", "expected"), [(100, 10_000), (5_600_000, 124), (10**9, 64)])
def test_a_chunk_of_the_softmax_is_as_long_as_ctrl_c_may_wait(n_floats, expected):
    assert trainer_module.chunk_tokens(FULL_SOFTMAX, 10**7, n_floats) == expected
    assert trainer_module.chunk_tokens(NEGATIVE_SAMPLING, 10**7, n_floats) == 10_000


@pytest.mark.parametrize(("n_tokens", "expected"), [(9, 2_000), (900_900, 3_002), (10**9, 10_000)])
def test_small_corpora_are_cut_into_smaller_chunks(n_tokens, expected):
    assert trainer_module.chunk_tokens(NEGATIVE_SAMPLING, n_tokens, 100) == expected


# ---- reports ----


def test_reports_reach_the_total(small_chunks):
    reports = []
    stream = SlowStream(at=-1, action=None, seconds=0.002)
    stream.trainer(workers=2).run([ObserverListener(reports.append)])
    done = [report.done for report in reports]
    assert done == sorted(done)
    assert done[-1] == reports[-1].total == 60_000
    assert {report.epoch for report in reports} == {1, 2}
    assert len(reports) > 4
    assert all(report.stage == "train" and 0 < report.lr <= 0.1 for report in reports)
    assert all(np.isfinite(report.loss) for report in reports if report.loss is not None)


# ---- the ways a run can end ----


@pytest.mark.parametrize("workers", [1, 5])
def test_an_observer_that_raises_stops_the_run(small_chunks, workers):
    def refuse(report):
        raise RuntimeError("seen enough")

    stream = SlowStream(at=-1, action=None)
    with pytest.raises(RuntimeError, match="seen enough"):
        stream.trainer(workers).run([ObserverListener(refuse)])
    assert stream.n_inside == 0
    assert stream.n_read < 2 * len(stream)


@pytest.mark.parametrize("workers", [1, 5])
def test_the_error_of_a_worker_reaches_the_caller(small_chunks, workers):
    def fail():
        raise OSError("the disk is gone")

    stream = SlowStream(at=7, action=fail)
    with pytest.raises(OSError, match="the disk is gone"):
        stream.trainer(workers).run()
    assert stream.n_inside == 0
    assert stream.n_read <= 8 + workers


@pytest.mark.parametrize("n_signals", [1, 3])
@pytest.mark.parametrize("workers", [1, 5])
def test_ctrl_c_waits_for_the_chunks_under_way(small_chunks, workers, n_signals):
    def interrupt():
        for _ in range(n_signals):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    stream = SlowStream(at=7, action=interrupt, seconds=0.1)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers).run()
    assert stream.n_inside == 0
    assert stream.n_read <= 8 + workers


def test_ctrl_c_that_an_observer_catches_still_ends_the_run(small_chunks):
    def swallow(report):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    stream = SlowStream(at=-1, action=None)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers=2).run([ObserverListener(swallow)])
    assert stream.n_inside == 0
    assert stream.n_read < 2 * len(stream)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_between_two_starts_leaves_no_thread(monkeypatch, small_chunks):
    interrupt_third_start(monkeypatch)
    stream = SlowStream(at=-1, action=None)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers=5).run()
    assert stream.n_inside == 0


def test_other_threads_run_while_a_kernel_does():
    spool = random_spool(100_000)
    trainer = make_trainer(spool, vector_size=100, backend="scalar", sample=0)
    ones = np.ones(8, np.float32)
    model = _core.Model(
        trainer.model_arrays,
        trainer_module.kernel_settings(
            trainer.parameters,
            trainer.blocks.largest(),
            Contexts(10.0, 0.1),
            HotRows(ones, ones, 500),
        ),
    )
    worker = _core.Worker(model, spool.n_tokens, trainer_module.allocate)
    chunk = spool.chunks(spool.n_tokens, 0).read(0)
    thread = threading.Thread(target=worker.train, args=(chunk, 1, 0.01))
    start = time.perf_counter()
    thread.start()
    n_turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        n_turns += 1
    assert n_turns > 20, time.perf_counter() - start


@pytest.mark.parametrize("shrink_windows", [True, False])
@pytest.mark.parametrize("window", [1, 5, 30, (0, 4), (30, 2)])
def test_expected_contexts_match_a_count(window, shrink_windows):
    length, expected = 8, 0
    for sign, size in zip((-1, 1), np.broadcast_to(window, 2), strict=True):
        reaches = range(1, size + 1) if shrink_windows and size else [size]
        counts = [
            sum(0 < sign * (j - i) <= reach for j in range(length))
            for reach in reaches
            for i in range(length)
        ]
        expected += np.mean(counts)
    parameters = Parameters(window=window, shrink_windows=shrink_windows)
    assert parameters.expected_contexts(length) == pytest.approx(expected)


@pytest.mark.parametrize("sentence_tokens", [2, 8])
def test_cbow_trains_with_windows_far_beyond_the_sentence(sentence_tokens):
    spool = random_spool(sentence_tokens=sentence_tokens)
    history = trained(spool, sg=False, window=300, epochs=5).history
    assert history[-1].loss < history[0].loss
