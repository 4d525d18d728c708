"""The order of an epoch's chunks."""

import numpy as np
import pytest

from fastw2v.training.objectives import NEGATIVE_SAMPLING
from fastw2v.training.parameters import Parameters
from fastw2v.training.trainer import RUNS, chunk_order, is_shuffled


@pytest.mark.parametrize("n_chunks", [1, 2, 11, RUNS, RUNS + 1, 10 * RUNS - 3])
def test_every_chunk_has_one_turn(n_chunks):
    order = chunk_order(seed=1, epoch=0, n_chunks=n_chunks)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(n_chunks))


def test_each_seed_and_epoch_has_an_order_of_its_own():
    orders = {tuple(chunk_order(seed, epoch, 300)) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25
    assert tuple(range(300)) not in orders


def test_an_order_is_the_same_everywhere():
    assert chunk_order(seed=1, epoch=0, n_chunks=8).tolist() == [0, 6, 4, 7, 5, 2, 3, 1]


def test_neighbours_stay_together_where_there_are_many():
    order = chunk_order(seed=1, epoch=0, n_chunks=10 * RUNS)
    runs = order.reshape(RUNS, 10)
    assert (runs[:, 0] % 10 == 0).all()
    np.testing.assert_array_equal(np.diff(runs), 1)
    assert (np.diff(runs[:, 0]) != 10).mean() > 0.99


def test_any_turn_may_be_that_of_any_chunk():
    turns = np.array([np.argsort(chunk_order(seed, 0, 10)) for seed in range(4_000)])
    seen = np.array([np.bincount(turn, minlength=10) for turn in turns.T])
    assert abs(seen - 400).max() < 5 * np.sqrt(400)


def test_only_negative_sampling_on_a_small_text_follows_its_order():
    n_tokens = NEGATIVE_SAMPLING.shuffled_from_tokens
    assert not is_shuffled(Parameters(), n_tokens - 1)
    assert is_shuffled(Parameters(), n_tokens)
    assert is_shuffled(Parameters(objective="hs"), 1000)
    assert chunk_order(seed=1, epoch=3, n_chunks=9, shuffled=False).tolist() == list(range(9))
