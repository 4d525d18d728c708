"""One small training problem, posed both to a kernel and to the reference."""

from dataclasses import dataclass

import numpy as np
import reference

from fastw2v import _core, backends
from fastw2v.base.memory import allocate
from fastw2v.sampling import (
    alias_table,
    huffman_paths,
    keep_probabilities,
    keep_thresholds,
    noise_probabilities,
)
from fastw2v.training.arrays import KernelSettings, ModelArrays, ReplicatedRows, zero_rows
from fastw2v.training.objectives import BlockShape

# Backends whose products of larger blocks have operands of 8 bits; all others compute in float32.
ROUNDING = {"avx512bf16": 2.0**-9, "amx": 2.0**-9}
ROUNDED_PATHS = [
    ("avx512bf16", "sg", objective) for objective in ("hs", "hs+ns")
]  # have rounded updates, however small the block
EXACT = [name for name in backends() if name not in ROUNDING]
BEST = [EXACT[-1], *(name for name in backends() if name in ROUNDING)]
SMALL_BLOCK_ROUNDING = {mode: ROUNDING[mode[0]] for mode in ROUNDED_PATHS}
EPOCH_KEY = 0x0123456789ABCDEF
MODES = [(arch, obj) for arch in ("sg", "cbow") for obj in ("ns", "hs", "hs+ns", "softmax")]


@dataclass
class Chunk:
    """The tokens handed to a kernel; see w2v_chunk in api.h."""

    word_ids: np.ndarray
    sentence_ends: np.ndarray
    first_token: int
    centre_begin: int
    centre_end: int
    pair_weights: np.ndarray | None = None


def make_chunk(rng, n_words, n_tokens=120, first_token=1000, margin=7):
    """A chunk of random sentences of 0 to 12 tokens, the last one running on past its end."""
    ids = rng.integers(0, n_words, n_tokens).astype(np.int32)
    ends = first_token + np.cumsum(rng.integers(1, 13, n_tokens))
    ends = ends[: np.searchsorted(ends, first_token + n_tokens) + 1].astype(np.int64)
    return Chunk(ids, ends, first_token, margin, n_tokens - margin)


def make_pairs(rng, n_words, n_pairs=60, first_token=1000):
    """A chunk of random pairs of random weights."""
    ids = rng.integers(0, n_words, 2 * n_pairs).astype(np.int32)
    ends = first_token + np.arange(2, 2 * n_pairs + 2, 2)
    weights = rng.uniform(0.1, 1, n_pairs).astype(np.float32)
    return Chunk(ids, ends, first_token, 0, 2 * n_pairs, weights)


class Case:
    """A vocabulary, a random state, and the settings of one mode."""

    def __init__(
        self, arch, objective, dim, n_words=30, bias=True, sample=0.05, n_replicated=0, **kw
    ):
        self.rng = np.random.default_rng(0)
        self.is_shared = kw.pop("is_shared", False)
        self.max_reach = kw.pop("max_reach", None)
        self.replica_share, self.sync_centres = (
            kw.pop("replica_share", 1.0),
            kw.pop("sync_centres", 30),
        )
        self.dim, self.n_words, self.n_replicated = dim, n_words, n_replicated
        n_steps = kw.pop("interleaved_steps", 2)
        kw["interleaved_steps"] = n_steps if arch == "cbow" and "ns" in objective else 1
        self.settings = reference.Settings(objective, arch == "cbow", **kw)
        self.counts = np.sort(self.rng.integers(1, 200, n_words))[::-1].astype(np.int64).copy()
        self.keep_threshold = keep_thresholds(keep_probabilities(self.counts, sample))
        by_noise, by_path = self.settings.by_noise, self.settings.by_path
        self.noise = alias_table(noise_probabilities(self.counts)) if by_noise else None
        self.paths = huffman_paths(self.counts) if by_path else None
        n_outputs = (n_words - 1) * by_path + n_words * (objective != "hs")
        self.state = reference.State(
            self.rng.normal(0, 0.5, (n_words, dim)),
            self.rng.normal(0, 0.5, (n_outputs, dim)),
            self.rng.normal(0, 0.5, n_outputs) if bias else None,
            self.rng.normal(0, 0.2, dim) if bias == "both" else None,
        )

    def tables(self):
        paths = self.paths
        if paths is not None:
            cut = np.split(paths.steps, paths.begin[1:-1])
            paths = [[(int(s) >> 1, int(s) & 1) for s in path] for path in cut]
        return reference.Tables(self.keep_threshold, self.noise, paths)

    def arrays(self):
        in_rows = zero_rows(self.n_words, self.dim)
        out_rows = zero_rows(len(self.state.out_rows), self.dim)
        in_rows[:, : self.dim] = self.state.in_rows
        out_rows[:, : self.dim] = self.state.out_rows
        bias = None if self.state.bias is None else self.state.bias.astype(np.float32)
        frozen = np.array([word in self.settings.frozen for word in range(self.n_words)], np.uint8)
        tables = self.keep_threshold, self.noise, self.paths
        in_bias = None
        if self.state.in_bias is not None:
            in_bias = zero_rows(1, self.dim)
            in_bias[0, : self.dim] = self.state.in_bias
        return ModelArrays(
            in_rows, out_rows, bias, self.counts, *tables, frozen if frozen.any() else None, in_bias
        )

    def blocks(self, chunk):
        """The reference's blocks of a chunk."""
        return reference.blocks(chunk, self.settings, self.tables(), EPOCH_KEY)

    def block(self):
        """The shape of the case's blocks."""
        s = self.settings
        return BlockShape(
            s.block_centres,
            s.block_noise,
            s.noise_reuse,
            s.interleaved_steps,
            s.block_contexts,
            s.block_path_contexts,
        )

    def kernel_settings(self, backend):
        """What the kernels are told."""
        s = self.settings
        shares = np.full(self.n_replicated, self.replica_share, np.float32)
        return KernelSettings(
            backend=backend,
            objective=s.objective,
            dim=self.dim,
            is_cbow=s.is_cbow,
            window=s.window,
            max_reach=self.max_reach or max(s.window),
            shrink_windows=s.shrink_windows,
            negative=s.negative,
            largest=self.block(),
            loss_every=1,
            is_shared=self.is_shared,
            replicas=ReplicatedRows(shares, shares, self.sync_centres),
            cbow_sum=s.cbow_sum,
            cbow_contexts=s.cbow_contexts,
            cbow_divide=s.cbow_divide,
            cbow_rate=s.cbow_rate,
            in_bias_limit=s.in_bias_limit,
        )

    def train_kernel(self, backend, chunks, lr, epoch_key=EPOCH_KEY, touched=None):
        """Return the arrays and the counters after training the chunks.

        touched: the two arrays in which the kernel notes the rows that it may change.
        """
        arrays = self.arrays()
        settings = self.kernel_settings(backend)
        worker = _core.Worker(
            _core.Model(arrays, settings), max(len(c.word_ids) for c in chunks), allocate
        )
        if touched is not None:
            worker.note_touched(*touched)
        for chunk in chunks:
            worker.train(chunk, epoch_key, lr)
        worker.flush_replicas()
        return arrays, worker.counters()

    def train_reference(self, chunks, lr):
        """Return the state, the loss sum and the number of predictions."""
        state, loss, n = self.state.copy(), 0.0, 0
        for chunk in chunks:
            more = reference.train(state, chunk, self.settings, self.tables(), EPOCH_KEY, lr)
            loss, n = loss + more[0], n + more[1]
        return state, loss, n
