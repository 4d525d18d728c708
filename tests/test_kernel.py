"""Every kernel against the float64 reference, on the same draws."""

import numpy as np
import pytest
from kernel_case import (
    BEST,
    EXACT,
    MODES,
    ROUNDING,
    SMALL_BLOCK_ROUNDING,
    Case,
    Chunk,
    make_chunk,
)

from fastw2v import backends

# dims that leave a vector of 4, 8 or 16 floats part empty, fill it, and need several panels, the
# last of them narrower
DIMS = [1, 5, 16, 37, 100, 340]


def assert_same(case, arrays, counters, expected, rounding=0.0):
    """float32 sums of a few hundred products of order one: errors of some 1e-6.

    rounding: the relative error of an operand, for changes that add up to order one.
    """
    state, loss, n_predictions = expected
    dim, atol = case.dim, 2e-5 + rounding * 0.75
    np.testing.assert_allclose(arrays.in_rows[:, :dim], state.in_rows, rtol=0, atol=atol)
    np.testing.assert_allclose(arrays.out_rows[:, :dim], state.out_rows, rtol=0, atol=atol)
    assert not arrays.in_rows[:, dim:].any() and not arrays.out_rows[:, dim:].any()
    if state.bias is not None:
        np.testing.assert_allclose(arrays.out_bias, state.bias, rtol=0, atol=atol)
    if state.in_bias is not None:
        np.testing.assert_allclose(arrays.in_bias[0, :dim], state.in_bias, rtol=0, atol=atol)
        assert not arrays.in_bias[0, dim:].any()
    assert counters["n_predictions"] == counters["n_loss_predictions"] == n_predictions > 0
    assert counters["loss_sum"] == pytest.approx(loss, rel=2e-6 + rounding / 4)


@pytest.mark.parametrize("bias", [True, "both"])
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize(("arch", "objective"), MODES)
@pytest.mark.parametrize("backend", backends())
def test_kernel_matches_reference(backend, arch, objective, dim, bias):
    case = Case(arch, objective, dim, bias=bias, in_bias_limit=0.5)
    chunks = [make_chunk(case.rng, case.n_words, first_token=first) for first in (0, 5000)]
    rounding = SMALL_BLOCK_ROUNDING.get((backend, arch, objective), 0.0)
    lr = 0.02 if rounding else 0.05
    arrays, counters = case.train_kernel(backend, chunks, lr)
    assert_same(case, arrays, counters, case.train_reference(chunks, lr), rounding)


VARIANTS = {
    "no-bias": {"bias": False},
    "fixed-windows": {"shrink_windows": False},
    "wide-window": {"window": (40, 40)},
    "left-only": {"window": (5, 0)},
    "right-only": {"window": (0, 5), "block_centres": 9},
    "asymmetric-window": {"window": (2, 7)},
    "asymmetric-fixed": {"window": (6, 1), "shrink_windows": False},
    "undivided-cbow": {"cbow_divide": False},
    "limited-undivided-cbow": {"cbow_divide": False, "cbow_contexts": 3.5},
    "summed-cbow": {"cbow_sum": True, "cbow_divide": False, "cbow_rate": 0.2},
    "divided-sum-cbow": {"cbow_sum": True},
    "limited-sum-cbow": {
        "cbow_sum": True,
        "cbow_contexts": 3.5,
        "cbow_divide": False,
        "cbow_rate": 0.4,
    },
    "divided-limited-sum-cbow": {"cbow_sum": True, "cbow_contexts": 3.5},
    "boosted-cbow": {"cbow_rate": 30.0},
    "frozen-rows": {"frozen": frozenset({0, 3, 4, 29})},
    "all-rows-frozen": {"frozen": frozenset(range(30))},
    "frozen-replicated-rows": {"frozen": frozenset(range(0, 30, 2)), "n_replicated": 5},
    "scaled-cbow": {"cbow_rate": 4.0},
    "one-centre": {"block_centres": 1, "block_noise": 1},
    "one-pair": {"block_centres": 1, "block_noise": 5, "block_contexts": 1},
    "three-contexts": {"block_centres": 1, "block_contexts": 3, "window": (7, 4)},
    "two-path-contexts": {"block_centres": 5, "block_path_contexts": 2, "window": (7, 4)},
    "four-inputs": {"block_centres": 5, "block_contexts": 4, "window": (7, 4)},
    "odd-block": {"block_centres": 7, "block_noise": 13, "negative": 2},
    "large-block": {"block_centres": 50, "block_noise": 60},
    "skip-gram-default-block": {"block_centres": 20, "block_noise": 12},
    "six-steps": {"block_centres": 20, "block_noise": 8, "noise_reuse": 4, "interleaved_steps": 6},
    "two-rounded-steps": {"block_centres": 32, "block_noise": 16},
    "one-step": {"block_centres": 9, "interleaved_steps": 1},
    "five-steps": {"block_centres": 8, "noise_reuse": 3, "interleaved_steps": 5},
    "rounded-replicated-rows": {"block_centres": 20, "block_noise": 13, "n_replicated": 5},
    "rounded-frozen-rows": {"block_centres": 17, "block_noise": 16, "frozen": frozenset({0, 3})},
    "fresh-noise": {"noise_reuse": 1},
    "long-reused-noise": {"block_noise": 7, "noise_reuse": 3},
    "one-noise-word-a-chunk": {"block_noise": 1, "noise_reuse": 1000},
    "two-words": {"n_words": 2},
    "some-replicated-rows": {"n_replicated": 5},
    "only-replicated-rows": {"n_replicated": 1000},
    "no-subsampling": {"sample": 0},
    "asked-for-to-be-written": {"is_shared": True},
}


@pytest.mark.parametrize("bias", [True, "both"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("arch", "objective"), MODES)
@pytest.mark.parametrize("backend", BEST)
def test_kernel_matches_reference_for_every_setting(backend, arch, objective, variant, bias):
    case = Case(arch, objective, dim=20, **{"bias": bias, "in_bias_limit": 0.1} | VARIANTS[variant])
    chunks = [make_chunk(case.rng, case.n_words)]
    arrays, counters = case.train_kernel(backend, chunks, lr=0.02)
    expected = case.train_reference(chunks, lr=0.02)
    assert_same(case, arrays, counters, expected, ROUNDING.get(backend, 0.0))


@pytest.mark.parametrize("dim", [37, 100])
@pytest.mark.parametrize("backend", backends())
def test_paths_match_reference_for_1_to_13_contexts(backend, dim):
    """Contexts stand twice in many windows: there are fewer words than contexts."""
    case = Case("sg", "hs", dim, n_words=9, sample=0, window=(7, 7), shrink_windows=False)
    ends = np.cumsum(np.arange(2, 15))  # sentences of 2 to 14 tokens
    ids = case.rng.integers(0, case.n_words, ends[-1]).astype(np.int32)
    chunks = [Chunk(ids, ends, 0, 0, len(ids))]
    arrays, counters = case.train_kernel(backend, chunks, lr=0.02)
    rounding = SMALL_BLOCK_ROUNDING.get((backend, "sg", "hs"), 0.0)
    assert_same(case, arrays, counters, case.train_reference(chunks, lr=0.02), rounding)


@pytest.mark.parametrize("backend", backends())
@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns", "softmax"])
def test_saturated_scores_are_trained_and_finite(backend, objective):
    case = Case("sg", objective, dim=16)
    case.state.in_rows *= 40
    case.state.out_rows *= 40
    chunks = [make_chunk(case.rng, case.n_words, n_tokens=30)]
    arrays, counters = case.train_kernel(backend, chunks, lr=1e-4)
    state, loss, _ = case.train_reference(chunks, lr=1e-4)
    np.testing.assert_allclose(arrays.in_rows, state.in_rows, rtol=1e-5, atol=1e-4)
    assert counters["loss_sum"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("backend", backends())
@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns", "softmax"])
def test_nan_reaches_the_loss(backend, objective):
    case = Case("sg", objective, dim=16)
    case.state.in_rows[:] = np.nan
    _, counters = case.train_kernel(backend, [make_chunk(case.rng, case.n_words)], lr=0.01)
    assert np.isnan(counters["loss_sum"])


@pytest.mark.parametrize(("arch", "objective"), MODES)
def test_loss_before_training_is_what_theory_says(arch, objective):
    """At zero output weights: (k + 1) ln 2, code length ln 2, ln V per prediction."""
    case = Case(arch, objective, dim=24, n_words=300, sample=0)
    case.state.out_rows[:] = 0
    case.state.bias[:] = 0
    chunk = make_chunk(case.rng, case.n_words, n_tokens=400)
    _, counters = case.train_kernel(EXACT[-1], [chunk], lr=0.0)
    mean = counters["loss_sum"] / counters["n_predictions"]
    if objective == "softmax":
        assert mean == pytest.approx(np.log(300), rel=1e-6)
    elif objective == "ns":
        # less the negative samples that happened to be the target itself
        full = (case.settings.negative + 1) * np.log(2)
        assert full * 0.98 < mean <= full * (1 + 1e-6)
    else:
        expected = sum((b.p + b.q).sum() for b in case.blocks(chunk)) * np.log(2)
        assert counters["loss_sum"] == pytest.approx(expected, rel=1e-6)


def test_negative_sampling_starts_at_exactly_k_plus_1_ln_2_without_collisions():
    case = Case("sg", "ns", dim=24, n_words=50, sample=0)
    case.state.out_rows[:] = 0
    case.state.bias[:] = 0
    case.noise[:] = (2**32 - 1, 0)
    case.noise["threshold"] = 0
    case.noise["alias"] = 49  # only word 49 is drawn, and it is never a target
    chunk = make_chunk(case.rng, 49)
    _, counters = case.train_kernel(EXACT[-1], [chunk], lr=0.0)
    mean = counters["loss_sum"] / counters["n_predictions"]
    assert mean == pytest.approx((case.settings.negative + 1) * np.log(2), rel=1e-6)


@pytest.mark.parametrize(("arch", "objective"), MODES)
def test_counters_add_up_to_the_centres_of_the_chunk(arch, objective):
    case = Case(arch, objective, dim=4, sample=0.01)
    chunk = make_chunk(case.rng, case.n_words)
    _, counters = case.train_kernel(EXACT[-1], [chunk], lr=0.01)
    n_centres = chunk.centre_end - chunk.centre_begin
    assert counters["n_trained"] + counters["n_subsampled"] == n_centres
    assert 0 < counters["n_trained"] < n_centres


@pytest.mark.parametrize("n_replicated", [0, 1000])
@pytest.mark.parametrize(("arch", "objective"), MODES)
@pytest.mark.parametrize("backend", backends())
def test_frozen_rows_stay_bit_for_bit(backend, arch, objective, n_replicated):
    case = Case(arch, objective, dim=20, n_replicated=n_replicated, frozen=frozenset({0, 1, 5, 17}))
    case.state.in_rows[1] = -0.0  # adding 0 would change its bits
    before = case.arrays().in_rows
    chunks = [make_chunk(case.rng, case.n_words, n_tokens=4000)]
    arrays, _ = case.train_kernel(backend, chunks, lr=0.05)
    same = [a.tobytes() == b.tobytes() for a, b in zip(before, arrays.in_rows, strict=True)]
    assert {word for word, stays in enumerate(same) if stays} == case.settings.frozen
