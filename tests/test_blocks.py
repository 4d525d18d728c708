"""The blocks chosen for a corpus and a learning rate, and the default rates that go with them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fastw2v.training.arrays import kernel_settings
from fastw2v.training.blocks import (
    CBOW_BOUNDS,
    COLUMNS,
    FEW_WORDS,
    SKIPGRAM_BOUNDS,
    BlockRule,
    Load,
    full_block,
)
from fastw2v.training.objectives import FULL_SOFTMAX, HIERARCHICAL_SOFTMAX, NEGATIVE_SAMPLING
from fastw2v.training.parameters import (
    MIN_SEEN,
    UNDIVIDED_ALPHA,
    Contexts,
    Parameters,
    expected_inverse,
)

SKIPGRAM_BLOCK = NEGATIVE_SAMPLING.skipgram.block
BFLOAT16_SKIPGRAM_BLOCK = NEGATIVE_SAMPLING.skipgram.bfloat16_block
CBOW_BLOCK = NEGATIVE_SAMPLING.cbow.block
MAX_SMALLEST_MOVE = NEGATIVE_SAMPLING.max_smallest_move
BACKENDS = {
    "amx": BFLOAT16_SKIPGRAM_BLOCK,
    "avx512bf16": BFLOAT16_SKIPGRAM_BLOCK,
    "avx2": SKIPGRAM_BLOCK,
}
# 100 MB of English text with window 5, one epoch.
ENGLISH = Load(
    n_contexts=5.75,
    boost=1.3,
    reach=5,
    top_word=0.0126,
    repeats=0.001,
    top_noise=0.0161,
    n_terms=6.0,
    n_kept=12.4e6,
    n_words=68_000,
)


@pytest.fixture(autouse=True)
def every_backend(monkeypatch):
    monkeypatch.setattr("fastw2v._core.backends", lambda: list(BACKENDS))


def rule(load=ENGLISH, **settings):
    parameters = Parameters(**{"sg": True, "backend": "avx512bf16"} | settings)
    n_terms = 1.0 + parameters.n_negative if parameters.n_negative else 12.0
    load = replace(load, n_terms=n_terms)
    return BlockRule(parameters, load)


def block(lr=None, load=ENGLISH, **settings):
    if lr is not None:
        settings["alpha"] = lr
    chosen = rule(load, **settings)
    return chosen.step(chosen.parameters.first_rate).block


@pytest.mark.parametrize("backend", BACKENDS)
def test_long_runs_of_text_have_full_blocks_at_the_default_rates(backend):
    for lr in (0.025, 0.01, 0.0):
        assert rule(backend=backend).step(lr).block[:4] == BACKENDS[backend][:4]
    assert block(backend=backend, sg=False) == CBOW_BLOCK
    assert block(backend=backend, sg=False, objective="hs") == HIERARCHICAL_SOFTMAX.cbow.block
    assert block(backend=backend, objective="softmax")[:4] == FULL_SOFTMAX.skipgram.block[:4]
    by_path = HIERARCHICAL_SOFTMAX.skipgram.block
    assert block(backend=backend, objective="hs").centres == by_path.centres


@pytest.mark.parametrize("n_kept", [1e4, 1e5, 1e6, 8e6])
@pytest.mark.parametrize("sg", [True, False])
def test_short_runs_have_the_same_blocks_on_every_cpu_while_these_are_small(sg, n_kept):
    load = replace(ENGLISH, n_kept=n_kept, n_words=int(n_kept**0.5) * 20)
    shapes = {block(load=load, sg=sg, backend=backend) for backend in BACKENDS}
    centres = {shape.centres for shape in shapes}
    assert len(shapes) == 1 or centres == {SKIPGRAM_BLOCK.centres, max(centres)}


def test_blocks_grow_with_the_run_and_end_at_full_size():
    """What a negative sample stands for never falls as the run gets longer."""
    sizes = np.geomspace(1e4, 2e7, 60)
    shapes = [block(load=replace(ENGLISH, n_kept=n, n_words=20_000)) for n in sizes]
    lumps = np.array([s.centres * s.reuse / s.noise for s in shapes])
    assert (np.diff(lumps) > -0.06 * lumps[1:]).all()  # whole numbers of samples
    assert shapes[0].centres == 1
    assert shapes[-1][:4] == BFLOAT16_SKIPGRAM_BLOCK[:4]


@pytest.mark.parametrize("sg", [True, False])
def test_few_words_get_smaller_blocks_on_short_runs_alone(sg):
    def lump(n_words, n_kept):
        return rule(replace(ENGLISH, n_words=n_words, n_kept=n_kept), sg=sg).max_lump

    assert lump(100, 1e6) == pytest.approx(lump(FEW_WORDS, 1e6) / 10)
    assert lump(100, 2e7) == math.inf


RATES = [0.01, 0.025, 0.05, 0.1, 0.2]


@pytest.mark.parametrize("negative", [1, 5, 20])
@pytest.mark.parametrize("window", [1, 5, 10, 50])
@pytest.mark.parametrize("top", [0.001, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("sg", [True, False])
def test_no_row_moves_past_its_bound(sg, top, window, negative):
    bounds = SKIPGRAM_BOUNDS if sg else CBOW_BOUNDS
    contexts = (window + 1.0) if window > 1 else 2.0
    load = replace(
        ENGLISH,
        n_contexts=contexts,
        reach=window,
        top_word=top,
        repeats=top**2,
        top_noise=top / 2,
        n_kept=5e7,
    )
    for asked in RATES:
        chosen = rule(load, sg=sg, negative=negative, alpha=asked)
        shape, lr = chosen.step(asked)
        assert lr == min(asked, chosen.max_lr) and 1 <= shape.noise <= bounds.noise
        if sg:
            together = min(shape.contexts, shape.centres * contexts)
            assert shape.centres == 1 or shape.centres + shape.noise <= COLUMNS
        else:
            together = shape.centres / shape.interleaved_steps
        of_noise = negative * max(1 / shape.noise, load.top_noise)
        assert lr * max(together, 1) * of_noise <= bounds.output_move * 1.01
        if shape.centres > 1:
            paired = min(shape.centres, 2 * window if sg else contexts)
            assert lr * (1 + negative) * paired <= bounds.input_move
        elif sg:
            repeated = 1 + shape.contexts * top if shape.contexts > 1 else 1
            assert lr * (1 + negative) * repeated <= bounds.input_move * 1.01


def test_blocks_shrink_with_what_moves_a_row():
    base = block(0.025).centres
    assert block(0.05).centres < base
    assert block(0.025, negative=15).centres < base
    assert block(0.025, load=replace(ENGLISH, n_contexts=20.0, reach=20)).centres < base
    assert block(0.025, load=replace(ENGLISH, top_word=0.5)).centres < base
    assert block(0.025, load=replace(ENGLISH, top_word=0.02, concurrency=16)).centres < base
    assert block(0.1, sg=False, load=replace(ENGLISH, top_word=0.5)).centres < CBOW_BLOCK.centres


def test_a_rate_above_every_bound_is_held():
    chosen = rule(alpha=50.0)
    shape, lr = chosen.step(50.0)
    assert shape.centres == 1
    assert lr == chosen.max_lr == pytest.approx(MAX_SMALLEST_MOVE / 6)
    assert "learning rate limited to 0.417" in chosen.describe(50.0, 0.0)


@pytest.mark.parametrize("n_threads", [1, 2, 16])
def test_the_smallest_step_leaves_room_for_other_threads(n_threads):
    load = replace(ENGLISH, top_word=0.5, top_noise=0.02, concurrency=n_threads)
    shape, lr = rule(load, alpha=0.2).step(0.2)
    assert shape.centres == 1
    own_row = min(shape.contexts, load.n_contexts) * (1 + (n_threads - 1) * load.top_word)
    most = SKIPGRAM_BOUNDS.output_move
    assert shape.contexts == 1 or lr * own_row * load.pairs_of_top <= most


def test_a_cbow_window_full_of_one_word_moves_it_as_often_as_it_stands_there():
    half = replace(ENGLISH, n_contexts=10.0, top_word=0.5, repeats=0.26, top_noise=0.02)
    assert rule(half, sg=False).max_lr == pytest.approx(MAX_SMALLEST_MOVE / 6 / (1 + 2.6))


def test_short_sentences_of_many_lengths_hold_the_corrected_update_sooner():
    short = replace(ENGLISH, n_contexts=14.0, boost=4.6)
    assert rule(short, sg=False).max_lr == pytest.approx(MAX_SMALLEST_MOVE / 6 / (2.3 + 14 * 0.001))


def test_hierarchical_softmax_is_held_sooner_as_its_longest_paths_are_twice_the_mean():
    assert rule(objective="hs").max_lr == pytest.approx(1.25 / 12)


def test_a_sum_of_contexts_is_held_sooner_than_their_mean_by_hierarchical_softmax():
    mean, total = (rule(sg=False, objective="hs", cbow_mean=on) for on in (True, False))
    assert total.max_lr == pytest.approx(HIERARCHICAL_SOFTMAX.sum_share * mean.max_lr)


def test_the_user_may_fix_the_blocks():
    fixed = block(0.2, block_centres=9, block_noise=3, noise_reuse=5)
    assert fixed[:4] == (9, 3, 5, 1)
    shape = block(0.2, block_centres=9, sg=False)
    assert shape.interleaved_steps == CBOW_BLOCK.interleaved_steps
    assert full_block(Parameters(sg=True, block_centres=3)).centres == 3


def test_the_description_names_what_a_step_takes():
    chosen = rule()
    text = "20 centres x 12 negative samples, each for 2 blocks"
    assert chosen.describe(0.025, 0.0) == text
    assert rule(sg=False).describe(0.1, 0) == (
        "48 centres x 8 negative samples in 6 steps, each for 4 blocks"
    )
    assert rule(objective="hs").describe(0.025, 0) == "1 centre"
    assert rule(alpha=0.05).describe(0.05, 0.0).endswith(f"; at the end {text}")


# ---- default rates ----


@pytest.mark.parametrize("objective", [NEGATIVE_SAMPLING, FULL_SOFTMAX], ids=["ns", "softmax"])
def test_the_default_rate_of_cbow_falls_with_the_contexts_above_those_of_window_5(objective):
    def rate(n_contexts):
        return Parameters(objective=objective.name).resolved(n_contexts, MIN_SEEN).alpha

    rates = [rate(n) for n in (3.0, 6.0, 11.0, 41.0)]
    default = objective.cbow.alpha
    assert rates[:2] == [default] * 2
    assert rates[2] == pytest.approx(default * math.sqrt(6 / 11))
    assert rates[3] == pytest.approx(default * math.sqrt(6 / 41))


@pytest.mark.parametrize("settings", [{"sg": True}, {"alpha": 0.1}])
def test_other_rates_do_not_depend_on_the_window(settings):
    assert Parameters(**settings).resolved(6, 9) == Parameters(**settings).resolved(150, 9)


def test_both_losses_fit_the_bounds_of_each():
    settings = {"sg": True, "backend": "avx512bf16"}
    both, hs = (
        BlockRule(Parameters(**settings, objective=name), replace(ENGLISH, n_terms=n_terms))
        for name, n_terms in (("hs+ns", 18.0), ("hs", 12.0))
    )
    for lr in (0.001, 0.025, 0.05):
        assert 1 <= both.step(lr).block.centres <= rule().step(lr).block.centres
        assert both.step(lr).block.path_contexts <= hs.step(lr).block.path_contexts
    assert both.max_lr < min(rule().max_lr, hs.max_lr)


def test_cbow_learns_no_more_of_a_word_with_more_epochs():
    rates = [Parameters(epochs=n).resolved(6, 10).alpha for n in (5, 10, 20, 40)]
    assert rates == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_few_words_seen_often_get_the_undivided_update_at_gensims_rate():
    often = Parameters().resolved(6, 5_000)
    assert (often.alpha, often.cbow_update) == (UNDIVIDED_ALPHA, "word2vec")
    seldom = Parameters().resolved(6, 40)
    assert (seldom.alpha, seldom.cbow_update) == (0.1, "corrected")
    asked = Parameters(alpha=0.07).resolved(6, 5_000)
    assert (asked.alpha, asked.cbow_update) == (0.07, "word2vec")
    asked = Parameters(cbow_update="corrected").resolved(6, 5_000)
    assert (asked.alpha, asked.cbow_update) == (pytest.approx(0.001), "corrected")
    assert Parameters(sg=True).resolved(6, 5_000).alpha == NEGATIVE_SAMPLING.skipgram.alpha


@pytest.mark.parametrize("cbow_mean", [True, False])
def test_cbow_with_hierarchical_softmax_takes_the_update_and_rate_of_word2vec(cbow_mean):
    hs = {"objective": "hs", "cbow_mean": cbow_mean}
    for n_contexts in (3.0, 41.0):
        chosen = Parameters(**hs).resolved(n_contexts, MIN_SEEN)
        assert (chosen.alpha, chosen.cbow_update) == (0.05, "word2vec")
    rates = [Parameters(**hs, epochs=n).resolved(6, 10).alpha for n in (5, 10, 20)]
    assert rates == pytest.approx([0.05, 0.025, 0.0125])
    asked = Parameters(**hs, cbow_update="corrected").resolved(6, MIN_SEEN)
    assert asked.cbow_update == "corrected"


@pytest.mark.parametrize(
    ("window", "shrinks", "sentence_tokens", "expected"),
    [
        (1, True, 1e9, 1 / 2),
        (5, True, 1e9, (1 / 2 + 1 / 4 + 1 / 6 + 1 / 8 + 1 / 10) / 5),
        (5, False, 1e9, 1 / 10),
        ((0, 4), False, 1e9, 1 / 4),
        ((2, 2), True, 1e9, (1 / 2 + 1 / 4) / 2),
        (5, False, 5.2, 1 / 4),
        (1, True, 3, (1 + 1 / 2 + 1) / 3),
        (1000, True, 2.0, 1.0),
        (5, True, 1.0, 1.0),
    ],
)
def test_the_mean_inverse_of_contexts(window, shrinks, sentence_tokens, expected):
    assert expected_inverse(window, shrinks, sentence_tokens) == pytest.approx(expected, rel=1e-2)


def test_a_summed_gradient_moves_context_rows_as_far_on_average_as_gensims():
    contexts = Contexts(mean=6.0, inverse=0.23)
    rates = [
        kernel_settings(Parameters(**given), CBOW_BLOCK, contexts, 5).cbow_rate
        for given in ({}, {"cbow_mean": False}, {"cbow_mean": False, "cbow_update": "word2vec"})
    ]
    assert rates == [6.0, 0.23, 1.0]
