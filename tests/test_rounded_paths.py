"""Updates of Huffman paths by operands rounded to bfloat16: their sums are exact."""

import numpy as np
import pytest
from kernel_case import ROUNDED_PATHS, Case, Chunk

from fastw2v import backends
from fastw2v._core import MAX_PATH_INPUTS, MAX_ROUNDED_PATH
from fastw2v.sampling import huffman_paths

BACKENDS = [backend for backend, _, _ in ROUNDED_PATHS if backend in backends()]


@pytest.mark.skipif(not BACKENDS, reason="this CPU multiplies no bfloat16 by vectors")
@pytest.mark.parametrize("backend", BACKENDS or ["none"])
@pytest.mark.parametrize("n_contexts", range(1, MAX_PATH_INPUTS + 2))
@pytest.mark.parametrize("dim", [1, 16, 37, 100])
def test_updates_of_paths_of_any_length_are_exact(backend, n_contexts, dim):
    """Rows that share no coordinate score 0, so every factor is lr / 2 or -lr / 2."""
    case = Case("sg", "hs", 2 * dim, 70, False, 0, window=(n_contexts, 0), shrink_windows=False)
    case.counts = fibonacci(70)[::-1].copy()
    case.paths = huffman_paths(case.counts)
    case.state.in_rows = case.rng.integers(1, 17, case.state.in_rows.shape) / 8
    case.state.out_rows = case.rng.integers(1, 17, case.state.out_rows.shape) / 8
    case.state.in_rows[:, dim:] = 0
    case.state.out_rows[:, :dim] = 0
    lengths = case.paths.code_lengths
    assert lengths.min() == 1 and lengths.max() > MAX_ROUNDED_PATH
    for length in (1, 2, 7, 16, 17, 33, 63, MAX_ROUNDED_PATH, MAX_ROUNDED_PATH + 1):
        contexts = case.rng.integers(0, 70, n_contexts)
        word = np.flatnonzero(lengths == length)[:1]
        ids = np.concatenate([contexts, word]).astype(np.int32)
        chunk = Chunk(ids, np.array([len(ids)]), 0, n_contexts, len(ids))
        arrays, _ = case.train_kernel(backend, [chunk], lr=2.0**-6)
        state, _, _ = case.train_reference([chunk], lr=2.0**-6)
        assert np.abs(arrays.in_rows - case.arrays().in_rows).max() > 0
        np.testing.assert_array_equal(arrays.in_rows[:, : 2 * dim], state.in_rows)
        np.testing.assert_array_equal(arrays.out_rows[:, : 2 * dim], state.out_rows)


def fibonacci(n):
    """Counts whose Huffman tree is a chain."""
    counts = np.ones(n, np.int64)
    for i in range(2, n):
        counts[i] = counts[i - 1] + counts[i - 2]
    return counts
