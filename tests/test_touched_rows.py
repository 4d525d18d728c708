"""The rows that a kernel notes as changed, for the merging of a deterministic run."""

import numpy as np
import pytest
from kernel_case import BEST, Case, make_chunk, make_pairs

GUARD = 7


def noted(case, backend, chunk):
    """Return the arrays after training, and the (inputs, outputs) noted as changed."""
    guarded = [np.zeros(n + 1, np.uint8) for n in (case.n_words, len(case.state.out_rows))]
    for array in guarded:
        array[-1] = GUARD
    arrays, _ = case.train_kernel(backend, [chunk], lr=0.05, touched=[a[:-1] for a in guarded])
    assert [a[-1] for a in guarded] == [GUARD, GUARD]
    return arrays, [np.flatnonzero(a[:-1]) for a in guarded]


def changed(before, after):
    return np.flatnonzero((before != after).any(axis=1))


@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns"])
@pytest.mark.parametrize(
    ("arch", "make"), [("sg", make_chunk), ("cbow", make_chunk), ("sg", make_pairs)]
)
@pytest.mark.parametrize("backend", BEST)
def test_every_changed_row_is_noted(backend, arch, make, objective):
    case = Case(arch, objective, dim=16, n_words=300)
    before = case.arrays()
    after, (inputs, outputs) = noted(case, backend, make(case.rng, case.n_words))
    assert set(changed(before.in_rows, after.in_rows)) <= set(inputs)
    assert set(changed(before.out_rows, after.out_rows)) <= set(outputs)


@pytest.mark.parametrize("backend", BEST)
def test_paths_of_pairs_are_noted_and_nothing_else(backend):
    case = Case("sg", "hs", dim=16, n_words=300, sample=0)
    pairs = make_pairs(case.rng, case.n_words)
    pairs.word_ids[1] = case.n_words - 1  # there is no inner node of this number
    _, (inputs, outputs) = noted(case, backend, pairs)
    paths = case.tables().paths
    nodes = {node for word in pairs.word_ids[1::2] for node, _ in paths[word]}
    assert set(inputs) == set(pairs.word_ids[::2])
    assert set(outputs) == nodes
