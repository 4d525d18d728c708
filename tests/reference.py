"""Every training mode in plain float64 NumPy: the definition that the kernels are held to.

It follows the papers and the design, not the C code, and shares nothing with the kernels but
the numbers of the random stream. Slow on purpose: one block at a time, one pair at a time.
"""

import copy
import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
MASK = 2**64 - 1
STREAM_TOKENS, STREAM_NOISE = 1, 2
PATHS = 2  # CBOW with hierarchical softmax: see step


def mix64(z):
    """SplitMix64's output function (Steele, Lea, Flood 2014, figure 17)."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream_key(epoch_key, stream):
    return mix64((epoch_key + stream) & MASK)


def draw64(key, counter):
    return mix64((key + (counter + 1) * GAMMA) & MASK)


@dataclass
class Settings:
    """What the reference needs to know of a run; names as in Parameters."""

    objective: str
    is_cbow: bool
    window: tuple = (3, 3)
    shrink_windows: bool = True
    negative: int = 5
    block_centres: int = 4
    block_noise: int = 6
    noise_reuse: int = 2
    interleaved_steps: int = 1
    block_contexts: int = 10**6
    block_path_contexts: int = 10**6
    cbow_sum: bool = False
    cbow_contexts: float = math.inf
    frozen: frozenset = frozenset()
    cbow_divide: bool = True
    cbow_rate: float = 1.0
    in_bias_limit: float = math.inf

    @property
    def by_noise(self):
        return "ns" in self.objective

    @property
    def by_path(self):
        return "hs" in self.objective


@dataclass
class Tables:
    """keep_threshold (n_words,), alias columns (n_words,), paths per word as (node, bit)."""

    keep_threshold: np.ndarray
    noise: np.ndarray | None
    paths: list | None


@dataclass
class State:
    """in_rows (n_words, dim), out_rows (n_outputs, dim), bias (n_outputs,) or None, in_bias (dim,)
    or None; float64.  The outputs are the inner nodes, the words, or the nodes before the words."""

    in_rows: np.ndarray
    out_rows: np.ndarray
    bias: np.ndarray | None
    in_bias: np.ndarray | None = None

    def copy(self):
        return copy.deepcopy(self)


@dataclass
class Block:
    """One simultaneous update.

    bags: for each input, the word ids whose rows it sums up, or averages.
    outputs: (n_out,) output ids.
    p, q: (n_in, n_out) weights, wanted and unwanted; for the softmax p counts the pairs of an
    input and a target and q is unused.
    is_path: the outputs are a Huffman path.
    """

    bags: list
    outputs: np.ndarray
    p: np.ndarray
    q: np.ndarray
    n_predictions: int
    max_means: float = 1.0
    is_path: bool = False


# ---- from a chunk to kept tokens ----


@dataclass
class Kept:
    """Tokens left by subsampling: ids, context ranges [begin, end), and which are centres."""

    ids: list
    begin: list
    end: list
    centres: list


def keep(chunk, settings, tables, epoch_key):
    key = stream_key(epoch_key, STREAM_TOKENS)
    kept, start = Kept([], [], [], []), 0
    for stop in chunk.sentence_ends:
        stop = min(stop - chunk.first_token, len(chunk.word_ids))
        sentence_begin, reaches = len(kept.ids), []
        for t in range(start, stop):
            bits = draw64(key, chunk.first_token + t)
            word = int(chunk.word_ids[t])
            if bits >> 32 > int(tables.keep_threshold[word]):
                continue
            shrink = (bits & 0xFFFFFFFF) * settings.shrink_windows
            reaches.append([size - (shrink * size >> 32) for size in settings.window])
            if chunk.centre_begin <= t < chunk.centre_end:
                kept.centres.append(len(kept.ids))
            kept.ids.append(word)
        for i, (left, right) in enumerate(reaches, sentence_begin):
            kept.begin.append(max(i - left, sentence_begin))
            kept.end.append(min(i + right + 1, len(kept.ids)))
        start = stop
    return kept


def contexts(kept, centre):
    return [c for c in range(kept.begin[centre], kept.end[centre]) if c != centre]


# ---- from kept tokens to blocks ----


class NoiseWords:
    """The words drawn from an alias table, for each step: some of them new, the oldest replaced."""

    def __init__(self, chunk, settings, tables, epoch_key):
        place = chunk.first_token + chunk.centre_begin
        self.key, self.counter = draw64(stream_key(epoch_key, STREAM_NOISE), place), 0
        self.table = tables.noise
        self.n_fresh = math.ceil(settings.block_noise / settings.noise_reuse)
        n = settings.block_noise
        self.words = [
            deque([self.draw() for _ in range(n)], n) for _ in range(settings.interleaved_steps)
        ]
        self.is_first = [True] * settings.interleaved_steps

    def next_step(self, step=0):
        for _ in range(0 if self.is_first[step] else self.n_fresh):
            self.words[step].append(self.draw())
        self.is_first[step] = False
        return list(self.words[step])

    def draw(self):
        product = draw64(self.key, self.counter) * len(self.table)
        self.counter += 1
        column, bits = product >> 64, (product >> 32) & 0xFFFFFFFF
        threshold, alias = self.table[column]
        return column if bits <= threshold else int(alias)


def pairs_of(kept, centres, is_cbow, part=None):
    """Return the inputs' bags and the (input, centre) pairs, both as indices.

    part: the only contexts that a skip-gram step takes.
    """
    if is_cbow:
        return [contexts(kept, c) for c in centres], [
            (k, k) for k, c in enumerate(centres) if contexts(kept, c)
        ]
    reached = sorted({x for c in centres for x in contexts(kept, c) if x in part})
    position = {x: j for j, x in enumerate(reached)}
    pairs = [
        (position[x], k) for k, c in enumerate(centres) for x in contexts(kept, c) if x in position
    ]
    return [[x] for x in reached], pairs


def first_word(settings, tables):
    """Return the output of word 0, which comes after the inner nodes."""
    return (len(tables.keep_threshold) - 1) * settings.by_path


def noise_block(kept, centres, settings, tables, noise, part=None):
    bags, pairs = pairs_of(kept, centres, settings.is_cbow, part)
    words = [kept.ids[c] for c in centres] + noise
    p, q = np.zeros((2, len(bags), len(words)))
    for j, k in pairs:
        p[j, k] = 1
        for i, word in enumerate(noise, len(centres)):
            if word != words[k]:
                q[j, i] += settings.negative / settings.block_noise
    outputs = [word + first_word(settings, tables) for word in words]
    return as_block(kept, settings, bags, outputs, p, q, len(pairs))


def path_block(kept, centre, settings, tables, part=None):
    """With both losses, the steps of negative sampling count the predictions."""
    bags, pairs = pairs_of(kept, [centre], settings.is_cbow, part)
    path = tables.paths[kept.ids[centre]]
    p, q = np.zeros((2, len(bags), len(path)))
    for j, _ in pairs:
        for k, (_, bit) in enumerate(path):
            p[j, k], q[j, k] = 1 - bit, bit
    n_predictions = len(pairs) * (not settings.by_noise)
    nodes = [node for node, _ in path]
    return replace(as_block(kept, settings, bags, nodes, p, q, n_predictions), is_path=True)


def softmax_block(kept, centres, settings, n_words, part=None):
    bags, pairs = pairs_of(kept, centres, settings.is_cbow, part)
    p = np.zeros((len(bags), n_words))
    for j, k in pairs:
        p[j, kept.ids[centres[k]]] += 1
    return as_block(kept, settings, bags, range(n_words), p, np.zeros_like(p), len(pairs))


def keep_pairs(chunk, tables, epoch_key):
    """Return (input, output, weight) of the pairs whose words are both kept."""
    key, kept = stream_key(epoch_key, STREAM_TOKENS), []
    for t in range(chunk.centre_begin, chunk.centre_end, 2):
        pair = [int(word) for word in chunk.word_ids[t : t + 2]]
        draws = [draw64(key, chunk.first_token + t + i) >> 32 for i in range(2)]
        if all(d <= int(tables.keep_threshold[w]) for d, w in zip(draws, pair, strict=True)):
            kept.append((*pair, float(chunk.pair_weights[t // 2])))
    return kept


def pair_blocks(pairs, settings, tables, noise_words):
    """Return the blocks of given pairs, which change one after the other."""
    inputs, targets, weights = zip(*pairs, strict=True)
    by_pair = np.array(weights)[:, None]
    bags, n_words = [[word] for word in inputs], len(tables.keep_threshold)
    found = []
    if settings.by_noise:
        noise, first = noise_words.next_step(), first_word(settings, tables)
        outputs, p = [*targets, *noise], np.eye(len(pairs), len(pairs) + len(noise))
        share = settings.negative / settings.block_noise
        hits = np.equal.outer(targets, noise)
        q = np.hstack([np.zeros((len(pairs), len(pairs))), share * ~hits])
        outputs = np.array(outputs, int) + first
        found.append(Block(bags, outputs, p * by_pair, q * by_pair, len(pairs)))
    for bag, target, weight in zip(bags, targets, weights, strict=True):
        if settings.by_path:
            path = tables.paths[target]
            bits, nodes = np.array([[bit for _, bit in path]]), [node for node, _ in path]
            n = int(not settings.by_noise)
            block = Block([bag], np.array(nodes, int), (1 - bits) * weight, bits * weight, n)
            found.append(replace(block, is_path=True))
    if not found:
        p = np.eye(n_words)[list(targets)] * by_pair
        found.append(Block(bags, np.arange(n_words), p, np.zeros_like(p), len(pairs)))
    return found


def parts_of(kept, centres, settings, by_path):
    """Return the places that a skip-gram block's windows reach, as many at a time as a step takes.

    With hierarchical softmax the centre's own place does not count.
    """
    most = settings.block_contexts
    if by_path:
        most = min(most, settings.block_path_contexts)
    places = range(min(kept.begin[c] for c in centres), max(kept.end[c] for c in centres))
    if by_path:
        places = contexts(kept, *centres)
    return [places[i : i + most] for i in range(0, len(places), most)]


def blocks(chunk, settings, tables, epoch_key):
    """Return the blocks of a chunk in order."""
    return [block for group in groups(chunk, settings, tables, epoch_key) for block in group]


def groups(chunk, settings, tables, epoch_key):
    """Return the blocks of a chunk in order, those together whose inputs change together.

    With both losses, negative sampling comes first for each run of block_centres centres.
    """
    noise_words = NoiseWords(chunk, settings, tables, epoch_key) if settings.by_noise else None
    alone = settings.objective == "hs" and not settings.is_cbow
    size = 1 if alone else settings.block_centres
    if chunk.pair_weights is not None:
        pairs = keep_pairs(chunk, tables, epoch_key)
        cut = [pairs[begin : begin + size] for begin in range(0, len(pairs), size)]
        found = [pair_blocks(some, settings, tables, noise_words) for some in cut]
        return [[block] for some in found for block in some]
    kept = keep(chunk, settings, tables, epoch_key)
    found = []
    for begin in range(0, len(kept.centres), size):
        centres = kept.centres[begin : begin + size]
        if settings.by_noise:
            found += noise_groups(kept, centres, settings, tables, noise_words)
        if settings.by_path:
            found += path_groups(kept, centres, settings, tables)
        if settings.objective == "softmax":
            found += softmax_groups(kept, centres, settings, len(tables.keep_threshold))
    return found


def noise_groups(kept, centres, settings, tables, noise_words):
    if not settings.is_cbow:
        parts = parts_of(kept, centres, settings, by_path=False)
        return [
            [noise_block(kept, centres, settings, tables, noise_words.next_step(), part)]
            for part in parts
        ]
    n_steps = settings.interleaved_steps
    return [
        [
            noise_block(kept, centres[i::n_steps], settings, tables, noise_words.next_step(i))
            for i in range(min(n_steps, len(centres)))
        ]
    ]


def path_groups(kept, centres, settings, tables):
    if settings.is_cbow:
        return [[path_block(kept, centre, settings, tables) for centre in centres]]
    return [
        [path_block(kept, centre, settings, tables, part)]
        for centre in centres
        for part in parts_of(kept, [centre], settings, by_path=True)
    ]


def softmax_groups(kept, centres, settings, n_words):
    if settings.is_cbow:
        return [[softmax_block(kept, centres, settings, n_words)]]
    parts = parts_of(kept, centres, settings, by_path=False)
    return [[softmax_block(kept, centres, settings, n_words, part)] for part in parts]


def as_block(kept, settings, bags, outputs, p, q, n_pairs):
    bags = [[kept.ids[x] for x in bag] for bag in bags]
    n_means = settings.cbow_contexts if settings.cbow_sum else 1
    return Block(bags, np.array(outputs, int), p, q, n_pairs, n_means)


# ---- the step ----


def inputs_of(state, block):
    x = np.zeros((len(block.bags), state.in_rows.shape[1]))
    for j, bag in enumerate(block.bags):
        if bag:
            x[j] = biased(state, bag).mean(axis=0) * min(len(bag), block.max_means)
    return x


def biased(state, words):
    """Return the input rows of words, (n, dim), with the bias of their side."""
    rows = state.in_rows[words]
    return rows if state.in_bias is None else rows + state.in_bias


def scores_of(state, block, x):
    s = x @ state.out_rows[block.outputs].T
    return s if state.bias is None else s + state.bias[block.outputs]


def loss_of(state, block, objective, x=None):
    """Return the block's loss in nats, summed over its predictions; x: inputs of other values."""
    s = scores_of(state, block, inputs_of(state, block) if x is None else x)
    if objective == "softmax":
        top = s.max(axis=1, keepdims=True)
        log_sum = top + np.log(np.exp(s - top).sum(axis=1, keepdims=True))
        return float((block.p * (log_sum - s)).sum())
    return float((block.p * np.logaddexp(0, -s) + block.q * np.logaddexp(0, s)).sum())


def score_gradient(state, block, objective, x):
    """Return minus the derivative of the loss by the scores, (n_in, n_out)."""
    s = scores_of(state, block, x)
    if objective == "softmax":
        e = np.exp(s - s.max(axis=1, keepdims=True))
        return block.p - block.p.sum(axis=1, keepdims=True) * e / e.sum(axis=1, keepdims=True)
    sigmoid = np.exp(-np.logaddexp(0, -s))
    return block.p * (1 - sigmoid) - block.q * sigmoid


MAX_FACTOR = 6.0  # of a corrected CBOW update, see cbow.h


def change_inputs(state, block, changes, settings):
    for bag, change in zip(block.bags, changes, strict=True):
        for word in (word for word in bag if word not in settings.frozen):
            n = len(bag)
            if settings.cbow_divide:
                share = min(settings.cbow_rate / n, MAX_FACTOR)
            else:
                share = settings.cbow_rate * min(n, settings.cbow_contexts) / n
            state.in_rows[word] += change * (share if settings.is_cbow else 1.0)


def change_in_bias(state, blocks, changes, settings, lr):
    """Add the changes of all inputs, scaled down where lr * weight exceeds in_bias_limit."""
    is_softmax = settings.objective == "softmax"
    weight = sum((2 * b.p if is_softmax else b.p + b.q).sum() for b in blocks)
    total = sum(
        change * min(len(bag), block.max_means)
        for block, of_block in zip(blocks, changes, strict=True)
        for bag, change in zip(block.bags, of_block, strict=True)
    )
    if lr * weight > 0:
        state.in_bias += min(1, settings.in_bias_limit / (lr * weight)) * total


def change_outputs(state, block, g, x):
    np.add.at(state.out_rows, block.outputs, g.T @ x)
    if state.bias is not None:
        np.add.at(state.bias, block.outputs, g.sum(axis=0))


def step(state, blocks, settings, lr):
    """Update the state by blocks whose inputs change together; return the loss before the updates.

    Inputs are those at the start, and change in the end.  Scores are computed for one block at a
    time, for PATHS with hierarchical softmax, which then take their steps one after the other.
    """
    inputs = [inputs_of(state, block) for block in blocks]
    loss, changes, at_once = 0.0, [], PATHS if blocks[0].is_path else 1
    for first in range(0, len(blocks), at_once):
        some = list(zip(blocks, inputs, strict=True))[first : first + at_once]
        loss += sum(loss_of(state, block, settings.objective, x) for block, x in some)
        gradients = [score_gradient(state, block, settings.objective, x) for block, x in some]
        for (block, x), gradient in zip(some, gradients, strict=True):
            g = lr * gradient
            changes.append(g @ state.out_rows[block.outputs])
            change_outputs(state, block, g, x)
    for block, change in zip(blocks, changes, strict=True):
        change_inputs(state, block, change, settings)
    if state.in_bias is not None:
        change_in_bias(state, blocks, changes, settings, lr)
    return loss


def train(state, chunk, settings, tables, epoch_key, lr):
    """Train a chunk in place; return (loss sum in nats, predictions)."""
    found = groups(chunk, settings, tables, epoch_key)
    loss = sum(step(state, group, settings, lr) for group in found)
    return loss, sum(block.n_predictions for group in found for block in group)
