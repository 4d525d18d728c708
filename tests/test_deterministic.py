import random
import time

import numpy as np
import pytest
from small_model import OBJECTIVES, same_bits
from training_case import (
    MODES,
    interrupt_chunk,
    interrupt_third_start,
    make_trainer,
    random_spool,
    recorded_calls,
)

from fastw2v import Word2Vec, _core, backends
from fastw2v.errors import UsageError
from fastw2v.training import rounds as rounds_module
from fastw2v.training import trainer as trainer_module
from fastw2v.training.rounds import gains, tokens_of_chunk

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch, small_chunks):
    monkeypatch.setattr(rounds_module, "MIN_TOKENS", 100)


@pytest.fixture
def uneven(monkeypatch):
    """Let chunks take random times, other ones in every run."""

    class Uneven(_core.Worker):
        def train(self, chunk, epoch_key, lr, block):
            if random.random() < 0.2:
                time.sleep(random.random() * 0.004)
            return super().train(chunk, epoch_key, lr, block)

    monkeypatch.setattr(_core, "Worker", Uneven)


def trained(spool=None, **settings):
    settings = {"deterministic": True, "workers": 3, "bias": True} | settings
    trainer = make_trainer(spool or random_spool(), **settings)
    trainer.run()
    return trainer


def bits(trainer):
    arrays = trainer.model_arrays
    return [a.tobytes() for a in (arrays.in_rows, arrays.out_rows, arrays.out_bias)]


@pytest.mark.parametrize("backend", ["scalar", backends()[-1]])
@pytest.mark.parametrize(("sg", "objective"), MODES)
def test_threads_of_any_timing_give_the_same_bits(uneven, sg, objective, backend):
    runs = [trained(sg=sg, objective=objective, backend=backend) for _ in range(3)]
    assert bits(runs[0]) == bits(runs[1]) == bits(runs[2])
    assert runs[0].counts() == runs[1].counts()
    assert runs[0].counts().n_tokens == 2 * 5_200
    for run in runs:
        for copy in run.rounds.replicas:  # every row that changed was marked, and merged
            assert copy.arrays.in_rows.tobytes() == run.model_arrays.in_rows.tobytes()
            assert copy.arrays.out_rows.tobytes() == run.model_arrays.out_rows.tobytes()
            assert copy.arrays.out_bias.tobytes() == run.model_arrays.out_bias.tobytes()


@pytest.mark.parametrize("workers", [2, 4, 40, 200])
def test_each_chunk_is_trained_once_an_epoch(monkeypatch, workers):
    seen = recorded_calls(monkeypatch)
    trainer = trained(workers=workers)
    assert len(seen) == len({place[:2] for place in seen}) == 2 * len(trainer.chunks)
    assert trainer.counts().n_tokens == 2 * 5_200


def test_the_number_of_workers_is_part_of_the_setting():
    assert bits(trained(workers=2)) != bits(trained(workers=3))


def test_one_worker_trains_as_ever():
    assert bits(trained(workers=1)) == bits(trained(workers=1, deterministic=False))


@pytest.mark.parametrize(("sg", "objective"), MODES)
@pytest.mark.parametrize("workers", [2, 8])
def test_the_loss_comes_near_that_of_one_thread(sentences, sg, objective, workers):
    settings = {"sg": sg, "vector_size": 16, "epochs": 10} | OBJECTIVES[objective]
    one = Word2Vec(sentences, workers=1, **settings)
    many = Word2Vec(sentences, workers=workers, deterministic=True, **settings)
    start, end = one.history[0].loss, one.history[-1].loss
    assert many.history[-1].loss - end < 0.35 * (start - end)


def test_a_run_that_was_cut_short_ends_with_the_same_bits(tmp_path, monkeypatch, sentences, uneven):
    settings = {"vector_size": 16, "epochs": 3, "workers": 3, "deterministic": True}
    with monkeypatch.context() as patch:
        calls = recorded_calls(patch)
        whole = Word2Vec(sentences, **settings)
    n_chunks = len(calls) // 3
    for number in (n_chunks + 1, 3 * n_chunks // 2, 2 * n_chunks):  # of the second epoch
        run = tmp_path / f"run{number}"
        with monkeypatch.context() as patch:
            interrupt_chunk(patch, number)
            with pytest.raises(KeyboardInterrupt):
                Word2Vec(sentences, checkpoint=run, **settings)
        assert same_bits(Word2Vec.resume(run, sentences), whole)


@pytest.mark.parametrize("every", [0, "1h"])
def test_checkpoints_change_no_bit(tmp_path, monkeypatch, sentences, every):
    monkeypatch.setattr(trainer_module, "REPORT_SECONDS", 0.0002)
    settings = {"vector_size": 16, "workers": 3, "deterministic": True}
    whole = Word2Vec(sentences, **settings)
    saved = Word2Vec(sentences, checkpoint=tmp_path / "run", checkpoint_every=every, **settings)
    assert same_bits(saved, whole)


@pytest.mark.parametrize("worker", [0, 1, 2])
def test_the_error_of_one_worker_ends_all(monkeypatch, worker):
    trainer = make_trainer(random_spool(), deterministic=True, workers=3)
    read = trainer.chunks.read
    fails = 6 + worker  # a small corpus is visited in its order

    def failing(i):
        if i == fails:
            raise OSError("the disk is gone")
        return read(i)

    monkeypatch.setattr(trainer.chunks, "read", failing)
    with pytest.raises(OSError, match="the disk is gone"):
        trainer.run()
    assert (trainer.chunk, trainer.at_chunk_boundary) in ((0, False), (6, True))


def test_ctrl_c_between_two_starts_leaves_no_thread(monkeypatch):
    trainer = make_trainer(random_spool(), deterministic=True, workers=5)
    before = trainer.model_arrays.in_rows.copy()
    interrupt_third_start(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.at_chunk_boundary
    np.testing.assert_array_equal(trainer.model_arrays.in_rows, before)


# ---- merging ----


def test_a_merge_adds_the_changes_in_order_and_clears_the_marks(rng):
    rows = rng.random((200, 32), np.float32)
    gain = rng.random(200, np.float32)
    copies = [rows + rng.random(rows.shape, np.float32) for _ in range(3)]
    marks = [(rng.random(200) < 0.5).astype(np.uint8) for _ in range(3)]
    for copy, marked in zip(copies, marks, strict=True):
        copy[marked == 0] = rows[marked == 0]
    expected = rows.copy()
    expected += gain[:, None] * sum((c - rows for c in copies), np.zeros_like(rows))
    merge = _core.RowMerge(rows, copies, marks, gain)
    for part in range(2):
        merge.merge(part, 2)
    np.testing.assert_allclose(rows, expected, rtol=1e-6)
    for copy, marked in zip(copies, marks, strict=True):
        np.testing.assert_array_equal(copy, rows)
        assert not marked.any()


def test_a_merge_checks_what_it_borrows():
    rows, marks, gain = np.zeros((4, 16), np.float32), np.zeros(4, np.uint8), np.ones(4, np.float32)
    for wrong in (
        ([rows[:3]], [marks], gain),
        ([rows], [marks[:3]], gain),
        ([rows], [], gain),
        ([rows], [marks], gain[:3]),
    ):
        with pytest.raises(ValueError, match="must have shape"):
            _core.RowMerge(rows, *wrong)
    with pytest.raises(ValueError, match=r"part must be within 0\.\.1, got 2"):
        _core.RowMerge(rows, [rows], [marks], gain).merge(2, 2)


def test_rare_rows_take_all_changes_and_frequent_ones_no_more_than_one_and_a_half_moves():
    found = gains(np.array([0.0, 1.0, 20.0, 1e6]), 0.025, 4)
    assert found[:2].tolist() == [1.0, 1.0]
    assert found[2] == pytest.approx(1.5 / (4 * (1 - np.exp(-0.5))))
    assert found[3] == pytest.approx(1.5 / 4)


@pytest.mark.parametrize(
    ("n_tokens", "n_workers", "expected"),
    [(10**8, 2, (10_000, 5)), (10**8, 4, (8_332, 3)), (10**8, 16, (6_250, 1)),
     (840_000, 2, (6_562, 2)), (1_000, 2, (100, 1)), (0, 2, (100, 1))],
)  # fmt: skip
def test_rounds_are_long_but_many(n_tokens, n_workers, expected):
    assert tokens_of_chunk(n_tokens, n_workers, 10_000) == expected


def test_the_setting_is_a_flag():
    with pytest.raises(UsageError, match="deterministic must be True or False, got 'yes'"):
        Word2Vec(deterministic="yes")
