"""Products of operands rounded to bfloat16, on tiles and by vectors: their sums are exact."""

import numpy as np
import pytest
from kernel_case import ROUNDING, Case, make_chunk

from fastw2v import backends

BACKENDS = [name for name in backends() if name in ROUNDING]
pytestmark = [
    pytest.mark.skipif(not BACKENDS, reason="this CPU multiplies no bfloat16"),
    pytest.mark.parametrize("backend", BACKENDS or ["none"]),
    pytest.mark.parametrize("arch", ["sg", "cbow"]),
    pytest.mark.parametrize("dim", [1, 16, 37, 100, 300]),
    pytest.mark.parametrize(
        "block", [(16, 16), (16, 17), (20, 12), (15, 49), (33, 64), (40, 7), (64, 1)]
    ),
]


def eighths(rng, shape):
    """Values that bfloat16 holds."""
    return rng.integers(-16, 17, shape) / 8


def rounded_case(arch, dim, block):
    centres, noise = block
    sizes = {"block_centres": centres, "block_noise": noise, "interleaved_steps": 1}
    case = Case(arch, "ns", dim, sample=0, **sizes)
    case.settings.negative = noise  # a share of one for each noise word
    case.state.bias = None
    return case


def test_scores_of_rounded_rows_are_exact(backend, arch, dim, block):
    case = rounded_case(arch, dim, block)
    case.state.in_rows = eighths(case.rng, case.state.in_rows.shape)
    case.state.out_rows = eighths(case.rng, case.state.out_rows.shape)
    if arch == "cbow":
        case.settings.window, case.settings.shrink_windows = (0, 1), False  # a mean of one row
    chunk = make_chunk(case.rng, case.n_words)
    _, counters = case.train_kernel(backend, [chunk], lr=0.0)
    _, loss, _ = case.train_reference([chunk], lr=0.0)
    assert counters["loss_sum"] == pytest.approx(loss, rel=2e-6)


def test_updates_by_rounded_rows_are_exact(backend, arch, dim, block):
    """Rows that share no coordinate score 0, so every factor is a multiple of lr / 2."""
    case = rounded_case(arch, 2 * dim, block)
    case.settings.cbow_divide = False
    case.state.in_rows = eighths(case.rng, case.state.in_rows.shape)
    case.state.out_rows = eighths(case.rng, case.state.out_rows.shape)
    case.state.in_rows[:, dim:] = 0
    case.state.out_rows[:, :dim] = 0
    if arch == "cbow":
        case.settings.window, case.settings.shrink_windows = (1, 0), False
    chunk = make_chunk(case.rng, case.n_words)
    chunk.centre_end = chunk.centre_begin + block[0]  # one block
    arrays, _ = case.train_kernel(backend, [chunk], lr=2.0**-6)
    state, _, _ = case.train_reference([chunk], lr=2.0**-6)
    assert np.abs(arrays.in_rows - case.arrays().in_rows).max() > 0.01
    np.testing.assert_array_equal(arrays.in_rows[:, : 2 * dim], state.in_rows)
    np.testing.assert_array_equal(arrays.out_rows[:, : 2 * dim], state.out_rows)
