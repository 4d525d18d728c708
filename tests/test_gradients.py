"""Every parameter's gradient, of reference and kernel, against two-sided differences."""

import math

import numpy as np
import pytest
import reference
from kernel_case import EXACT, MODES, ROUNDING, Case, make_chunk

from fastw2v import backends

STEP = 1e-5


def one_block_case(arch, objective, bias=True, **kw):
    """A chunk trained as one block: then change = -lr * gradient of the total loss."""
    case = Case(
        arch,
        objective,
        dim=6,
        n_words=12,
        bias=bias,
        block_centres=64,
        block_noise=9,
        interleaved_steps=1,
        **kw,
    )
    chunk = make_chunk(case.rng, case.n_words, n_tokens=24, margin=3)
    if "hs" in objective:  # its blocks hold one centre each
        chunk.centre_begin, chunk.centre_end = one_centre(case, chunk)
    return case, chunk


def one_centre(case, chunk):
    for token in range(chunk.centre_begin, chunk.centre_end):
        chunk.centre_begin, chunk.centre_end = token, token + 1
        bags = [bag for block in case.blocks(chunk) for bag in block.bags]
        if sum(map(len, bags)) > 1:
            return token, token + 1
    raise AssertionError("no centre with contexts in this chunk")


def numeric_gradient(state, blocks, objective, values):
    """d loss / d values by central differences; values is an array of the state."""

    def loss():
        return sum(reference.loss_of(state, block, objective) for block in blocks)

    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        kept = values[index]
        values[index] = kept + STEP
        above = loss()
        values[index] = kept - STEP
        gradient[index] = (above - loss()) / (2 * STEP)
        values[index] = kept
    return gradient


@pytest.mark.parametrize("bias", [True, "both"])
@pytest.mark.parametrize("backend", ["reference", *backends()])
@pytest.mark.parametrize(("arch", "objective"), MODES)
def test_gradient_matches_finite_differences(arch, objective, backend, bias):
    case, chunk = one_block_case(arch, objective, bias)
    check_gradients(case, chunk, objective, backend)


@pytest.mark.parametrize("backend", ["reference", *backends()])
@pytest.mark.parametrize("objective", ["ns", "hs", "hs+ns", "softmax"])
@pytest.mark.parametrize("most", [2.5, math.inf])
def test_gradient_of_summed_cbow_matches_finite_differences(most, objective, backend):
    """The input bias stands in the sum once for each context."""
    settings = {"cbow_sum": True, "cbow_contexts": most, "cbow_divide": False}
    case, chunk = one_block_case("cbow", objective, "both", **settings)
    check_gradients(case, chunk, objective, backend)


def check_gradients(case, chunk, objective, backend):
    blocks, state, lr = case.blocks(chunk), case.state, 1.0
    if objective == "hs+ns":  # the second step starts where the first one ends
        assert len(blocks) == 2
        lr = 1e-6 if backend == "reference" else 2.0**-10
    if backend == "reference":
        after, _, _ = case.train_reference([chunk], lr)
        changed, tolerance = parameters_of(after), 1e-7 if lr == 1 else 20 * lr
    else:
        after, _ = case.train_kernel(backend, [chunk], lr)
        changed = [after.in_rows[:, : case.dim], after.out_rows[:, : case.dim], after.out_bias]
        if after.in_bias is not None:
            changed.append(after.in_bias[0, : case.dim])
        # float32 sums of some ten values of order one
        tolerance = 1e-5 if lr == 1 else 1e-6 / lr + 20 * lr
    for before, now in zip(parameters_of(state), changed, strict=True):
        gradient = numeric_gradient(state, blocks, objective, before)
        assert np.abs(gradient).max() > 0.1
        # Both operands of both products are rounded.
        atol = tolerance + 4 * ROUNDING.get(backend, 0.0) * np.abs(gradient).max()
        np.testing.assert_allclose((before - now) / lr, gradient, rtol=0, atol=atol)


def parameters_of(state):
    found = state.in_rows, state.out_rows, state.bias, state.in_bias
    return [values for values in found if values is not None]


@pytest.mark.parametrize("objective", ["ns", "hs", "softmax"])
def test_undivided_cbow_gradient_is_the_true_one_times_the_contexts(objective):
    """What word2vec.c, gensim and fastText do, kept as an option."""
    case, chunk = one_block_case("cbow", objective)
    chunk.centre_end = chunk.centre_begin + 1
    if objective != "hs":
        chunk.centre_begin, chunk.centre_end = one_centre(case, chunk)
    (block,) = case.blocks(chunk)
    (bag,) = block.bags
    divided, _ = case.train_kernel(EXACT[-1], [chunk], lr=1.0)
    case.settings.cbow_divide = False
    undivided, _ = case.train_kernel(EXACT[-1], [chunk], lr=1.0)
    start = case.arrays().in_rows
    np.testing.assert_allclose(
        undivided.in_rows - start, len(bag) * (divided.in_rows - start), rtol=0, atol=1e-5
    )
