import contextlib
import itertools
import os
import signal
import threading
from dataclasses import fields

import numpy as np
import pytest
from training_case import (
    HANG_SECONDS,
    MODES,
    counts_of,
    interrupt_third_start,
    random_spool,
    recorded_stops,
    trained,
)

from fastw2v.base import threads
from fastw2v.training import trainer as trainer_module
from fastw2v.training.arrays import INIT_FLOATS, build_arrays, fill_uniform, zero_rows
from fastw2v.training.events import ObserverListener
from fastw2v.training.objectives import BOTH_LOSSES, FULL_SOFTMAX, NEGATIVE_SAMPLING
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("no_thread_left")


class HeldStream:
    """A stream whose reads, from number `at` on, counted from 0, wait for `hold`.

    action: run by that read before.
    """

    def __init__(self, at, hold, action=lambda: None):
        self.spool, self.at, self.hold, self.action = random_spool(30_000), at, hold, action
        self.n_tokens, self.n_sentences = self.spool.n_tokens, self.spool.n_sentences
        self.numbers, self.begun, self.inside = itertools.count(), [], set()

    def chunks(self, chunk_tokens, margin_tokens):
        self.table = self.spool.chunks(chunk_tokens, margin_tokens)
        return self

    def longest_sentence(self):
        return self.spool.longest_sentence()

    def __len__(self):
        return len(self.table)

    def read(self, index):
        number = next(self.numbers)
        self.begun.append(number)
        self.inside.add(number)
        try:
            if number == self.at:
                self.action()
            if number >= self.at:
                assert self.hold()
            return self.table.read(index)
        finally:
            self.inside.remove(number)

    def trainer(self, workers=1, **settings):
        parameters = Parameters(vector_size=16, epochs=2, workers=workers, **settings)
        return Trainer(parameters, build_arrays(parameters, counts_of(self.spool)), self)


@pytest.fixture
def stopping(monkeypatch):
    """Return what waits until the run is being stopped."""
    stops = recorded_stops(monkeypatch)
    return lambda: stops[-1].wait(HANG_SECONDS)


# ---- what is trained ----


def test_every_setting_is_decided_before_training():
    parameters = trained(random_spool(), sg=False, workers=None).parameters
    undecided = {f.name for f in fields(parameters) if getattr(parameters, f.name) is None}
    assert undecided == {"block_centres", "block_noise", "noise_reuse"}  # the block rule's


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


def test_chunks_of_two_losses_take_no_longer_than_those_of_one():
    assert trainer_module.chunk_tokens(BOTH_LOSSES, 9, 100) == 500
    assert trainer_module.chunk_tokens(BOTH_LOSSES, 10**9, 100) == 10_000


# ---- reports ----


def test_reports_reach_the_total(small_chunks):
    reports, three = [], threading.Event()

    def observe(report):
        reports.append(report)
        if len(reports) == 3:
            three.set()

    stream = HeldStream(at=7, hold=lambda: three.wait(HANG_SECONDS))
    stream.trainer(workers=2).run([ObserverListener(observe)])
    done = [report.done for report in reports]
    assert done == sorted(done)
    assert done[-1] == reports[-1].total == 60_000
    assert {report.epoch for report in reports} == {1, 2}
    assert len(reports) >= 3 + 2  # three within the first epoch, and at each one's end
    assert all(report.stage == "train" and 0 < report.lr <= 0.1 for report in reports)
    assert all(np.isfinite(report.loss) for report in reports if report.loss is not None)


# ---- the ways a run can end ----


@pytest.mark.parametrize("workers", [1, 5])
def test_an_observer_that_raises_stops_the_run(small_chunks, stopping, workers):
    def refuse(report):
        raise RuntimeError("seen enough")

    stream = HeldStream(at=7, hold=stopping)
    with pytest.raises(RuntimeError, match="seen enough"):
        stream.trainer(workers).run([ObserverListener(refuse)])
    assert not stream.inside
    assert len(stream.begun) <= 7 + workers


@pytest.mark.parametrize("workers", [1, 5])
def test_the_error_of_a_worker_reaches_the_caller(small_chunks, stopping, workers):
    def fail():
        raise OSError("the disk is gone")

    stream = HeldStream(at=7, hold=stopping, action=fail)
    with pytest.raises(OSError, match="the disk is gone"):
        stream.trainer(workers).run()
    assert not stream.inside
    assert len(stream.begun) <= 7 + workers


@pytest.mark.parametrize("n_signals", [1, 3])
@pytest.mark.parametrize("workers", [1, 5])
def test_ctrl_c_waits_for_the_chunks_under_way(small_chunks, stopping, workers, n_signals):
    def interrupt():
        for _ in range(n_signals):
            os.kill(os.getpid(), signal.SIGINT)
            assert stopping()

    stream = HeldStream(at=7, hold=stopping, action=interrupt)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers).run()
    assert not stream.inside
    assert len(stream.begun) <= 7 + workers


def test_ctrl_c_that_an_observer_catches_still_ends_the_run(small_chunks, stopping):
    def swallow(report):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    stream = HeldStream(at=7, hold=stopping)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers=2).run([ObserverListener(swallow)])
    assert not stream.inside
    assert len(stream.begun) <= 7 + 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_between_two_starts_leaves_no_thread(monkeypatch, small_chunks, stopping):
    interrupt_third_start(monkeypatch)
    stream = HeldStream(at=0, hold=stopping)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers=5).run()
    assert not stream.inside
    assert len(stream.begun) <= 2


def test_ctrl_c_within_a_start_leaves_no_thread(monkeypatch, small_chunks, stopping):
    returned, numbers, seen = threading.Event(), itertools.count(), []
    main = threading.main_thread().ident

    class Interrupting(threads.Thread):
        @property
        def _bootstrap(self):
            begin = super()._bootstrap

            def interrupting():  # in the new thread, before start() knows that it runs
                if next(numbers) == 2:
                    signal.pthread_kill(main, signal.SIGINT)  # os.kill may wake another thread
                    seen.extend([stopping(), returned.wait(0.2)])
                begin()

            return interrupting

    monkeypatch.setattr(threads, "Thread", Interrupting)
    stream = HeldStream(at=0, hold=stopping)
    with pytest.raises(KeyboardInterrupt):
        stream.trainer(workers=5).run()
    returned.set()
    assert seen == [True, False]
    assert {thread.name for thread in threading.enumerate()} & {"fastw2v-train"} == set()
    assert not stream.inside


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


def test_an_interrupt_that_python_dropped_ends_the_run_between_two_chunks(monkeypatch):
    """As one is that is raised while an ended thread is collected."""
    monkeypatch.setattr("fastw2v.base.threads._HANDLED", [2])
    with pytest.raises(KeyboardInterrupt):
        trained(random_spool(2_000))


@pytest.mark.parametrize("dim", [1, 33, 100])
def test_the_first_rows_do_not_depend_on_the_threads_that_fill_them(dim):
    n_rows = 100 * INIT_FLOATS // dim + 7
    draws = np.random.default_rng(3).random((n_rows, dim), np.float32)
    for n_threads in (1, 2, 5):
        rows = zero_rows(n_rows, dim)
        fill_uniform(rows, dim, 3, n_threads)
        np.testing.assert_array_equal(rows[:, :dim], (draws * 2 - 1) / dim)
        assert not rows[:, dim:].any()
