"""The rows that several workers keep private, and the shares of their changes that they give."""

from dataclasses import replace

import numpy as np
import pytest
from kernel_case import EPOCH_KEY, EXACT, MODES, Case, Chunk, make_chunk
from training_case import random_spool, trained

from fastw2v import _core, backends
from fastw2v.base.memory import allocate
from fastw2v.training import sharing as module
from fastw2v.training.arrays import NO_REPLICATED_ROWS, build_arrays
from fastw2v.training.objectives import NEGATIVE_SAMPLING, OBJECTIVES, ReplicaCounts
from fastw2v.training.parameters import Parameters
from fastw2v.training.sharing import replicated_rows, row_shares

HOT_MODES = [(sg, objective) for sg in (True, False) for objective in ("ns", "hs", "hs+ns")]
N_CONTEXTS = 5.0


def zipf_counts(n_words=1000):
    """Counts of a vocabulary like that of a text."""
    return (10**8 / np.arange(2, n_words + 2)).astype(np.int64)


def rows_of(n_workers, n_tokens=10**8, **settings):
    """The private rows of a run of so many workers."""
    parameters = Parameters(vector_size=4, **settings)
    arrays = build_arrays(parameters, zipf_counts())
    return replicated_rows(parameters, arrays, n_workers, n_tokens, N_CONTEXTS)


@pytest.mark.parametrize(("sg", "objective"), HOT_MODES)
def test_rows_are_private_for_several_workers(sg, objective):
    assert rows_of(1, sg=sg, objective=objective) is NO_REPLICATED_ROWS
    for n_workers in (2, 3, 16, 200):
        rows = rows_of(n_workers, sg=sg, objective=objective)
        assert (len(rows.inputs), len(rows.outputs)) == OBJECTIVES[objective].replicated_rows[:2]
        for shares in rows[:2]:
            assert shares.dtype == np.float32
            assert 0 < shares.min() <= shares.max() <= 1


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 0.75])
@pytest.mark.parametrize("objective", ["ns", "hs"])
def test_words_that_were_never_seen_do_not_matter(objective, exponent):
    parameters = Parameters(vector_size=4, objective=objective, ns_exponent=exponent)
    arrays = build_arrays(parameters, np.append(zipf_counts(), [0, 0]))
    rows = replicated_rows(parameters, arrays, 4, 10**8, N_CONTEXTS)
    assert np.isfinite(rows.outputs).all()
    assert 0 < rows.outputs.min() <= rows.outputs.max() <= 1


def test_the_full_softmax_shares_all_rows():
    assert rows_of(2, objective="softmax") is NO_REPLICATED_ROWS


def test_the_rows_of_words_are_shared_in_a_small_corpus():
    """Private ones raised the loss of two threads' first epoch by 1 % against one thread's."""
    assert rows_of(2, 10**6, sg=True) is NO_REPLICATED_ROWS
    nodes_alone = rows_of(2, 10**6, sg=True, objective="hs")
    assert len(nodes_alone.inputs) == 0 < len(nodes_alone.outputs)


def test_rows_are_exchanged_often_in_a_small_corpus():
    found = [rows_of(16, n, objective="hs") for n in (0, 100_000, 10**6, 10**8)]
    assert [rows.centres for rows in found] == [1, 6, 62, 500]
    assert (np.diff([rows.outputs[-1] for rows in found]) <= 0).all()


def sync_intervals(n_rows):
    """Syncs between two of each replicated row, the most frequent row first."""
    intervals = np.empty(n_rows, np.int64)
    _core.sync_intervals(intervals)
    return intervals


def test_a_sixteenth_of_the_rows_syncs_each_time_and_all_do_every_sixteenth():
    values, n_rows = np.unique(sync_intervals(512), return_counts=True)
    assert dict(zip(values, n_rows, strict=True)) == {1: 32, 4: 96, 16: 384}
    assert (np.diff(sync_intervals(512)) >= 0).all()
    assert list(sync_intervals(5)) == [4, 16, 16, 16, 16]
    assert list(sync_intervals(0)) == []


INPUT_SYNCS = 8  # syncs between two that inputs take part in


@pytest.mark.parametrize("n_syncs", [1, 4, 16, 7, 8, 32, 128])
def test_a_sync_changes_the_shared_rows_that_are_due(n_syncs):
    """One block of 8 centres between two syncs; every output row is a negative sample of each."""
    case = Case("sg", "ns", 20, 32, bias=False, sample=0, block_centres=8, block_noise=32 * 8)
    case.n_replicated, case.sync_centres = 32, 8
    n_tokens = 8 * (n_syncs + 1)  # the first block comes before the first sync
    ids = (np.arange(n_tokens) % 32).astype(np.int32)  # the first 32 centres have all as contexts
    chunk = Chunk(ids, np.array([n_tokens]), 0, 0, n_tokens)
    before, arrays = case.arrays(), case.arrays()
    worker = _core.Worker(_core.Model(arrays, case.kernel_settings(EXACT[-1])), n_tokens, allocate)
    worker.train(chunk, EPOCH_KEY, 0.05)
    for name, n in (("out_rows", n_syncs), ("in_rows", n_syncs // INPUT_SYNCS)):
        changed = (getattr(arrays, name) != getattr(before, name)).any(axis=1)
        np.testing.assert_array_equal(changed, sync_intervals(32) <= n)


@pytest.mark.parametrize(("sg", "objective"), HOT_MODES)
def test_many_workers_make_one_and_a_half_moves_together_at_most(sg, objective):
    """The flushed share of the most frequent row, and of the first row of each sync interval."""
    settings = {"sg": sg, "objective": objective}
    parameters, n_workers = Parameters(vector_size=4, **settings), 64
    arrays = build_arrays(parameters, zipf_counts())
    _, of_outputs = row_shares(parameters, arrays, arrays.counts, N_CONTEXTS)
    kept = (arrays.counts * (arrays.keep_threshold / 2**32)).sum() / arrays.counts.sum()
    n_nodes, private = len(arrays.counts) - 1, OBJECTIVES[objective].replicated_rows
    rate = OBJECTIVES[objective].mode(sg).effective_rate * parameters.first_rate
    intervals, first_ranks = np.unique(sync_intervals(private.outputs), return_index=True)
    assert len(intervals) == 3
    for interval, rank in zip(intervals, first_ranks, strict=True):
        at, row = (rank, rank) if objective == "ns" else (-1 - rank, n_nodes - 1 - rank)
        share = rows_of(n_workers, 10**10, **settings).outputs[at]
        predictions = of_outputs[row] / kept * private.centres * interval
        moved = 1 - np.exp(-rate * predictions)
        assert share == pytest.approx(min(1, 1.5 / (n_workers * moved)), rel=1e-4)


def test_the_predictions_of_nodes_are_those_of_the_words_below(monkeypatch):
    parameters = Parameters(vector_size=4, objective="hs", sample=0)
    arrays = build_arrays(parameters, zipf_counts(50))
    monkeypatch.setattr("fastw2v.training.sharing.WORDS_AT_A_TIME", 7)
    of_inputs, of_nodes = row_shares(parameters, arrays, arrays.counts, N_CONTEXTS)
    share = arrays.counts / arrays.counts.sum()
    assert of_inputs == pytest.approx(share * N_CONTEXTS)
    paths = np.split(arrays.paths.steps >> 1, arrays.paths.begin[1:-1])
    expected = [
        sum(s for s, path in zip(share, paths, strict=True) if n in path) for n in range(49)
    ]
    assert of_nodes == pytest.approx(np.array(expected))
    assert of_nodes[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(("arch", "objective"), [m for m in MODES if m[1] in ("ns", "hs")])
@pytest.mark.parametrize("backend", backends())
def test_a_shared_row_gets_the_share_of_the_change(backend, arch, objective):
    case = Case(arch, objective, dim=20, bias=False)
    chunks = [make_chunk(case.rng, case.n_words)]
    before, (all_of_it, _) = case.arrays(), case.train_kernel(backend, chunks, lr=0.05)
    case.n_replicated, case.replica_share, case.sync_centres = 1000, 0.25, 10**9
    found, _ = case.train_kernel(backend, chunks, lr=0.05)
    for name in ("in_rows", "out_rows"):
        start, whole, part = (getattr(arrays, name) for arrays in (before, all_of_it, found))
        assert np.abs(whole - start).max() > 0.01
        np.testing.assert_allclose(part, start + 0.25 * (whole - start), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("sg", "objective"), HOT_MODES)
def test_sixteen_workers_at_once_do_not_overshoot(sg, objective, monkeypatch):
    """Each has one long chunk, so that all are at work at once, on few cores, too."""
    monkeypatch.setattr(module, "REPLICATED_FROM_TOKENS", 0)
    monkeypatch.setattr("fastw2v.training.trainer.CHUNKS", 16)
    monkeypatch.setattr("fastw2v.training.trainer.CHUNK_TOKENS", 20_000)
    # Enough to diverge, or to lose 9 %, if each added all of its change.
    spool = random_spool(320_000 if objective == "ns" else 640_000)
    settings = {"sg": sg, "objective": objective, "vector_size": 48, "alpha": 0.1, "epochs": 1}
    one, many = (trained(spool, workers=n, backend="scalar", **settings) for n in (1, 16))
    assert many.history[0].loss == pytest.approx(one.history[0].loss, rel=0.02)


def test_private_rows_outlast_a_chunk_until_they_are_given():
    case = Case("sg", "ns", dim=20, n_replicated=1000, sync_centres=10**9)
    chunks = [make_chunk(case.rng, case.n_words) for _ in range(3)]
    before, arrays = case.arrays(), case.arrays()
    worker = _core.Worker(_core.Model(arrays, case.kernel_settings(EXACT[-1])), 200, allocate)
    for chunk in chunks:
        worker.train(chunk, EPOCH_KEY, 0.05)
    np.testing.assert_array_equal(arrays.in_rows, before.in_rows)
    worker.flush_replicas()
    expected, _ = case.train_kernel(EXACT[-1], chunks, lr=0.05)
    np.testing.assert_array_equal(arrays.in_rows, expected.in_rows)
    arrays.in_rows[:] = before.in_rows  # as a callback may between two epochs
    worker.flush_replicas()
    np.testing.assert_array_equal(arrays.in_rows, before.in_rows)


def test_a_run_ends_with_what_was_private(monkeypatch):
    monkeypatch.setattr(module, "REPLICATED_FROM_TOKENS", 0)
    private = replace(NEGATIVE_SAMPLING, replicated_rows=ReplicaCounts(40, 40, 10**9, 0))
    monkeypatch.setitem(OBJECTIVES, private.name, private)
    arrays = trained(random_spool(), workers=2).model_arrays
    assert arrays.out_rows.any(axis=1).all()
