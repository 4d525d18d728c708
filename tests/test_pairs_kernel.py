"""Pairs in the kernels, against the float64 reference and against windows that make them."""

import numpy as np
import pytest
from kernel_case import BEST, EXACT, ROUNDING, Case, Chunk, make_pairs
from test_kernel import assert_same

from fastw2v import backends

OBJECTIVES = ["ns", "hs", "hs+ns", "softmax"]


@pytest.mark.parametrize("bias", [True, "both"])
@pytest.mark.parametrize("dim", [1, 16, 37, 100])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", backends())
def test_pairs_match_the_reference(backend, objective, dim, bias):
    case = Case("sg", objective, dim, bias=bias, in_bias_limit=0.5)
    chunks = [make_pairs(case.rng, case.n_words, first_token=first) for first in (0, 5000)]
    arrays, counters = case.train_kernel(backend, chunks, lr=0.05)
    assert_same(case, arrays, counters, case.train_reference(chunks, lr=0.05))


VARIANTS = {
    "no-bias": {"bias": False},
    "one-pair": {"block_centres": 1, "block_noise": 1},
    "large-block": {"block_centres": 50, "block_noise": 60},
    "default-block": {"block_centres": 20, "block_noise": 12},
    "rounded-frozen-rows": {"block_centres": 21, "block_noise": 12, "frozen": frozenset({0, 3})},
    "two-words": {"n_words": 2},
    "some-replicated-rows": {"n_replicated": 5},
    "no-subsampling": {"sample": 0},
    "frozen-rows": {"frozen": frozenset(range(0, 30, 3)), "n_replicated": 5},
}


@pytest.mark.parametrize("bias", [True, "both"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", BEST)
def test_pairs_match_the_reference_for_every_setting(backend, objective, variant, bias):
    case = Case("sg", objective, dim=20, **{"bias": bias, "in_bias_limit": 0.1} | VARIANTS[variant])
    chunks = [make_pairs(case.rng, case.n_words)]
    arrays, counters = case.train_kernel(backend, chunks, lr=0.02)
    expected = case.train_reference(chunks, lr=0.02)
    assert_same(case, arrays, counters, expected, ROUNDING.get(backend, 0.0))
    assert counters["n_trained"] == 2 * counters["n_predictions"]
    assert counters["n_trained"] + counters["n_subsampled"] == 120


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_pairs_are_what_sentences_of_two_words_and_a_window_to_the_left_train(objective):
    """One pair a block: both draw the same negative samples; windows skip the first words."""
    case = Case("sg", objective, 16, sample=0, window=(1, 0), block_centres=1, block_noise=5)
    pairs = make_pairs(case.rng, case.n_words)
    pairs.pair_weights[:] = 1
    parts = [Chunk(pairs.word_ids, pairs.sentence_ends, 1000, t, t + 1) for t in range(1, 120, 2)]
    pair_parts = [
        Chunk(pairs.word_ids[t : t + 2], np.array([1002 + t]), 1000 + t, 0, 2, np.ones(1, "f4"))
        for t in range(0, 120, 2)
    ]  # fmt: skip
    if "ns" in objective:  # draws follow the position of the centre, which differs by one
        case.noise["threshold"], case.noise["alias"] = 0, 29
    windows, _ = case.train_kernel(EXACT[-1], parts, lr=0.05)
    given, _ = case.train_kernel(EXACT[-1], pair_parts, lr=0.05)
    np.testing.assert_allclose(given.in_rows, windows.in_rows, rtol=0, atol=1e-6)
    np.testing.assert_allclose(given.out_rows, windows.out_rows, rtol=0, atol=1e-6)


def test_pairs_need_whole_pairs_and_skip_gram():
    case = Case("sg", "ns", 16)
    pairs = make_pairs(case.rng, case.n_words)
    pairs.centre_begin = 1
    with pytest.raises(ValueError, match="whole pairs"):
        case.train_kernel(EXACT[-1], [pairs], lr=0.05)
    case = Case("cbow", "ns", 16)
    with pytest.raises(ValueError, match="skip-gram"):
        case.train_kernel(EXACT[-1], [make_pairs(case.rng, case.n_words)], lr=0.05)
