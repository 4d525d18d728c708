"""Noise words, subsampling, windows and the Huffman tree: what is drawn, and how often."""

import heapq
import itertools

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from kernel_case import MODES, Case, Chunk, make_chunk
from scipy.stats import binomtest, chisquare

from fastw2v import backends
from fastw2v.errors import UsageError
from fastw2v.sampling import (
    alias_table,
    huffman_paths,
    keep_probabilities,
    keep_thresholds,
    noise_probabilities,
)
from fastw2v.sampling.huffman import MIN_COUNT_IN_ORDER, SHUFFLED_FROM_TOKENS

BEST = backends()[-1]
count_lists = st.lists(st.integers(1, 10**9), min_size=2, max_size=200)


def test_random_stream_is_golden():
    """SplitMix64 from seed 1234567, as published with the algorithm."""
    draws = [reference.draw64(1234567, i) for i in range(3)]
    assert draws == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def descending(counts):
    return np.array(sorted(counts, reverse=True), np.int64)


# ---- noise ----


def test_noise_probabilities_follow_counts_to_the_three_quarters():
    np.testing.assert_allclose(noise_probabilities(np.array([16, 1])), [8 / 9, 1 / 9])
    np.testing.assert_allclose(noise_probabilities(np.array([16, 1]), 0.0), [0.5, 0.5])


@pytest.mark.parametrize("power", [-1000.0, 1000.0])
def test_noise_probabilities_of_an_extreme_power_are_finite(power):
    expected = [1.0, 0.0] if power > 0 else [0.0, 1.0]
    np.testing.assert_allclose(noise_probabilities(np.array([16, 1]), power), expected)


@given(count_lists, st.sampled_from([-0.5, 0.0, 0.5, 0.75, 1.0]))
def test_alias_table_holds_the_distribution_exactly(counts, power):
    expected = noise_probabilities(descending(counts), power)
    table = alias_table(expected)
    stays = (table["threshold"] + 1.0) / 2**32
    held = stays.copy()
    np.add.at(held, table["alias"], 1 - stays)
    np.testing.assert_allclose(held / len(table), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", backends())
def test_noise_words_pass_chi_square(backend):
    """Blocks of one prediction and zero inputs: each noise word moves its bias by -lr/2."""
    block = {"block_centres": 1, "block_noise": 5, "noise_reuse": 1}
    case = Case("sg", "ns", 4, 40, sample=0, window=(1, 1), **block)
    case.state.in_rows[:] = 0
    case.state.bias[:] = 0
    n_tokens, lr = 20_000, 1e-6
    ids = np.full(n_tokens, 39, np.int32)
    ends = np.arange(2, n_tokens + 1, 2)
    arrays, _ = case.train_kernel(backend, [Chunk(ids, ends, 0, 0, n_tokens)], lr)
    drawn = np.rint(arrays.out_bias[:39] / (-lr / 2))
    expected = noise_probabilities(case.counts)[:39]
    expected *= drawn.sum() / expected.sum()
    assert drawn.sum() > 0.9 * 5 * n_tokens
    assert chisquare(drawn, expected).pvalue > 1e-3


def expected_update(case, chunk):
    """The update at lr 1 when every prediction draws K negative samples of its own, on average."""
    (block,) = case.blocks(chunk)
    words = np.arange(case.n_words)
    targets = block.outputs[: block.p.any(axis=0).nonzero()[0].max() + 1]
    p, q = np.zeros((2, len(block.bags), case.n_words))
    for j, k in zip(*block.p.nonzero(), strict=True):
        p[j, targets[k]] += 1
        noise = case.settings.negative * noise_probabilities(case.counts)
        noise[targets[k]] = 0
        q[j] += noise
    state = case.state.copy()
    unshared = reference.Block(block.bags, words, p, q, block.n_predictions)
    reference.step(state, [unshared], case.settings, lr=1.0)
    return np.concatenate([state.in_rows.ravel(), state.out_rows.ravel()])


@pytest.mark.parametrize("arch", ["sg", "cbow"])
def test_shared_noise_words_keep_the_expected_gradient(arch):
    """The mean update over 3,000 draws against the exact expectation, in standard errors."""
    block = {"block_centres": 8, "interleaved_steps": 1}
    case = Case(arch, "ns", 3, 10, bias=False, sample=0, shrink_windows=False, **block)
    chunk = make_chunk(case.rng, case.n_words, n_tokens=8, margin=0)
    expected = expected_update(case, chunk)
    updates = []
    for key in range(3000):
        arrays, _ = case.train_kernel(BEST, [chunk], 1.0, epoch_key=key)
        rows = [arrays.in_rows[:, :3].ravel(), arrays.out_rows[:, :3].ravel()]
        updates.append(np.concatenate(rows))
    error = np.std(updates, axis=0) / np.sqrt(len(updates))
    z = (np.mean(updates, axis=0) - expected)[error > 1e-6] / error[error > 1e-6]
    assert len(z) > 30
    assert np.abs(z).max() < 4.5
    assert np.mean(z**2) < 3  # of some 10 independent draws, and the rows depend on each other


# ---- subsampling and windows ----


def test_keep_probability_has_the_form_of_word2vec_c():
    counts = np.array([900, 100])
    t_over_f = 0.01 / np.array([0.9, 0.1])
    np.testing.assert_allclose(keep_probabilities(counts, 0.01), np.sqrt(t_over_f) + t_over_f)
    assert (keep_probabilities(counts, 0) == 1).all()
    with pytest.raises(UsageError, match=r"sample must be at least 0, got -1"):
        keep_probabilities(counts, -1)


def test_keep_threshold_of_one_keeps_every_draw():
    assert keep_thresholds(np.array([1.0, 0.5])).tolist() == [2**32 - 1, 2**31 - 1]


@pytest.mark.parametrize("word", [0, 10, 29])
def test_subsampling_keeps_each_word_at_its_probability(word):
    case = Case("cbow", "ns", 4, sample=0.002)
    n_tokens = 50_000
    ids, ends = np.full(n_tokens, word, np.int32), np.array([n_tokens])
    _, counters = case.train_kernel(BEST, [Chunk(ids, ends, 0, 0, n_tokens)], 0.0)
    keep = keep_probabilities(case.counts, 0.002)[word]
    assert binomtest(counters["n_trained"], n_tokens, keep).pvalue > 1e-3


@pytest.mark.parametrize("window", [(6, 6), (3, 7), (6, 0)])
def test_reach_is_uniform_from_one_to_the_window(window):
    """On each side of a centre in one endless sentence; the kernel makes that many predictions."""
    case = Case("sg", "ns", 4, sample=0, window=window, block_centres=8)
    n_tokens = 30_000
    ids = np.zeros(n_tokens, np.int32)
    chunk = Chunk(ids, np.array([n_tokens]), 0, 7, n_tokens - 7)
    kept = reference.keep(chunk, case.settings, case.tables(), 5)
    centres = np.arange(7, n_tokens - 7)
    reaches = (centres - np.array(kept.begin)[7:-7], np.array(kept.end)[7:-7] - centres - 1)
    for size, reach in zip(window, reaches, strict=True):
        assert (reach <= size).all()
        if size:
            assert chisquare(np.bincount(reach, minlength=size + 1)[1:]).pvalue > 1e-3
    _, counters = case.train_kernel(BEST, [chunk], 0.0, epoch_key=5)
    assert counters["n_predictions"] == sum(reaches).sum()


@pytest.mark.parametrize("size", [2**31, 2**32 + 1, 2**40 + 3, 2**63 - 1])
def test_a_window_of_any_size_reaches_the_whole_sentence(size):
    n_tokens = 12
    case = Case("sg", "ns", 4, sample=0, window=(size, size), max_reach=n_tokens - 1)
    chunk = Chunk(np.zeros(n_tokens, np.int32), np.array([n_tokens]), 0, 0, n_tokens)
    _, counters = case.train_kernel(BEST, [chunk], 0.0)
    assert counters["n_predictions"] == n_tokens * (n_tokens - 1)


@pytest.mark.parametrize(("arch", "objective"), MODES)
def test_windows_beyond_the_sentence_need_no_scratch_beyond_it(arch, objective):
    """The reach is drawn from the whole window, whatever scratch is sized for."""
    trained = []
    for max_reach in (20, 11):  # sentences have up to 12 tokens
        case = Case(arch, objective, 4, window=(20, 3), max_reach=max_reach)
        chunk = make_chunk(case.rng, case.n_words)
        trained.append(case.train_kernel(BEST, [chunk], 0.02))
    (rows, counters), (others, other_counters) = trained
    assert counters == other_counters
    assert rows.in_rows.tobytes() == others.in_rows.tobytes()
    assert rows.out_rows.tobytes() == others.out_rows.tobytes()


def test_draws_do_not_depend_on_chunk_borders():
    case = Case("sg", "hs", 4, sample=0.01)
    whole = make_chunk(case.rng, case.n_words, n_tokens=300, first_token=0, margin=0)
    parts = [
        Chunk(whole.word_ids, whole.sentence_ends, 0, begin, min(begin + 37, 300))
        for begin in range(0, 300, 37)
    ]
    _, at_once = case.train_kernel(BEST, [whole], 0.0)
    _, in_parts = case.train_kernel(BEST, parts, 0.0)
    for name in ("n_trained", "n_subsampled", "n_predictions"):
        assert at_once[name] == in_parts[name]


# ---- Huffman ----


def optimal_cost(counts):
    heap, cost = [int(c) for c in counts], 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        cost += merged
        heapq.heappush(heap, merged)
    return cost


def codes_of(paths):
    return ["".join(str(s & 1) for s in path) for path in np.split(paths.steps, paths.begin[1:-1])]


@given(count_lists)
def test_huffman_code_is_optimal_and_prefix_free(counts):
    counts = descending(counts)
    paths = huffman_paths(counts)
    assert int((paths.code_lengths * counts).sum()) == optimal_cost(counts)
    codes = sorted(codes_of(paths))
    assert not any(b.startswith(a) for a, b in itertools.pairwise(codes))
    assert sum(0.5 ** len(code) for code in codes) == pytest.approx(1)
    assert paths.longest == max(map(len, codes))


@given(count_lists)
def test_huffman_paths_descend_one_tree_from_the_root(counts):
    paths = huffman_paths(descending(counts))
    above = {}
    for path in np.split(paths.steps, paths.begin[1:-1]):
        nodes = [int(s) >> 1 for s in path]
        assert nodes[0] == len(counts) - 2
        for step, node in zip(path, nodes[1:], strict=False):
            assert above.setdefault(node, int(step)) == int(step)
    assert len(above) == len(counts) - 2


def test_huffman_needs_two_words():
    with pytest.raises(ValueError, match="at least 2 words, got 1"):
        huffman_paths(np.array([3]))


def test_huffman_paths_of_counts_in_any_order_are_those_of_the_sorted_words():
    counts = np.array([9, 7, 4, 1, 0])
    order = np.array([3, 0, 4, 2, 1])
    sorted_paths, paths = (
        np.split(p.steps, p.begin[1:-1]) for p in map(huffman_paths, (counts, counts[order]))
    )
    assert [p.tolist() for p in paths] == [sorted_paths[i].tolist() for i in order]


@pytest.mark.parametrize("power", [-0.5, 0.0, 0.75])
def test_a_word_never_seen_is_never_drawn_and_always_kept(power):
    counts = np.array([4, 0, 1])
    expected = noise_probabilities(counts[[0, 2]], power)
    assert noise_probabilities(counts, power).tolist() == [expected[0], 0, expected[1]]
    assert keep_probabilities(counts, 0.01)[1] == 1


def test_huffman_weights_do_not_overflow_past_32_bits():
    counts = np.array([2**40, 2**40, 2**39, 5], np.int64)
    assert sorted(huffman_paths(counts).code_lengths.tolist()) == [1, 2, 3, 3]


def test_words_of_equal_count_keep_their_order_in_the_trees_of_small_corpora_alone():
    counts = np.full(8, MIN_COUNT_IN_ORDER)
    small, large = huffman_paths(counts), huffman_paths(counts * SHUFFLED_FROM_TOKENS)
    assert (small.ties, large.ties) == ("in order", "shuffled")
    assert codes_of(small) in (sorted(codes_of(small)), sorted(codes_of(small))[::-1])
    assert codes_of(large) != codes_of(small)
    assert codes_of(huffman_paths(counts, "shuffled")) == codes_of(large)
    rare = np.full(8, MIN_COUNT_IN_ORDER - 1)
    assert codes_of(huffman_paths(rare)) == codes_of(large)
