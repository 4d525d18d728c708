"""Faults to plant: each replaces one text by another, and one of the tests must notice it."""

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault.  old must occur once in the file at path; tests: run first, before the suite."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


STEP, COLLECT, CORE = "fastw2v/_c/step/", "fastw2v/_c/collect/", "fastw2v/_c/core/"
TEXT = "fastw2v/_c/text/"
KERNEL = ("tests/test_kernel.py",)
TOKENIZERS = ("tests/test_tokenizers.py",)
TOKENS = ("tests/test_tokens.py", "tests/test_vocabulary.py")
SAMPLING = ("tests/test_sampling.py",)
NUMBERS = ("tests/test_vector_text.py",)

FAULTS = (
    # ---- the tokenizers ----
    Fault(
        "final-sigma-before-a-letter",
        TEXT + "tokenize.c",
        "    return sigma != SIGMA_CASED;",
        "    return 1;",
        TOKENIZERS,
    ),
    Fault(
        "base-does-not-compose",
        TEXT + "tokenize.c",
        "        record = record_of(*c);\n",
        "",
        TOKENIZERS,
    ),
    # ---- the step ----
    Fault(
        "gradient-sign",
        STEP + "gradient.h",
        "b->lr * (want - weight * sigmoid(score))",
        "b->lr * (weight * sigmoid(score) - want)",
        KERNEL,
    ),
    Fault(
        "bias-not-moved",
        STEP + "block_step.h",
        "add_to_one(m->out_bias + b->out_id[k], change);",
        "(void)change;",
        KERNEL,
    ),
    Fault(
        "loss-of-negatives-left-out",
        STEP + "gradient.h",
        "(weight - want) * up",
        "0 * up",
        ("tests/test_loss.py", *KERNEL),
    ),
    Fault(
        "avx512-rows-over-320-cut",
        STEP + "products.h",
        "v < shape.n_vectors; v += shape.panel_vectors",
        "v < min64(shape.n_vectors, LANES == 16 ? 20 : INT64_MAX); v += shape.panel_vectors",
        KERNEL,
    ),
    Fault(
        "bfloat16-stride",
        "fastw2v/_c/isa/bfloat16.h",
        "s->out_across + (k / 16 * c.n_chunks + c.number)",
        "s->out_across + (k / 16 + c.number)",
        ("tests/test_bfloat16.py", *KERNEL),
    ),
    Fault(
        "path-codes-swapped",
        COLLECT + "paths.h",
        "is_step & ((step & 1) == 0)",
        "is_step & ((step & 1) != 0)",
        KERNEL,
    ),
    Fault(
        "softmax-loss-without-top",
        COLLECT + "softmax.h",
        "(log(sum) + (double)top)",
        "log(sum)",
        KERNEL,
    ),
    Fault(
        "softmax-target-not-wanted",
        COLLECT + "softmax.h",
        "scores[s->pair_target[q]] += r->lr * s->pair_weight[q];",
        "(void)q;",
        KERNEL,
    ),
    # ---- what a step is made of ----
    Fault(
        "window-short-by-one",
        CORE + "subsample.h",
        "i + reach_of(bits, m->window_right, m->max_reach) + 1;",
        "i + reach_of(bits, m->window_right, m->max_reach);",
        KERNEL,
    ),
    Fault(
        "sentence-border-ignored",
        CORE + "subsample.h",
        "(first > begin ? first : begin)",
        "(first > 0 ? first : 0)",
        KERNEL,
    ),
    Fault(
        "right-window-as-left",
        CORE + "subsample.h",
        "i + reach_of(bits, m->window_right, m->max_reach) + 1;",
        "i + reach_of(bits, m->window_left, m->max_reach) + 1;",
        KERNEL,
    ),
    Fault(
        "centre-in-its-own-context",
        COLLECT + "cbow.h",
        "(load(past + v) - load(first + v) - load(own + v))",
        "(load(past + v) - load(first + v) - 0 * load(own + v))",
        KERNEL,
    ),
    Fault(
        "cbow-change-not-divided",
        COLLECT + "cbow.h",
        "if (!m->cbow_divide)",
        "if (m->cbow_divide < 2)",
        KERNEL,
    ),
    Fault(
        "in-bias-once-per-sum",
        COLLECT + "cbow.h",
        "return m->cbow_sum ? n_limited(m, n) : 1.0f;",
        "(void)n; return m->cbow_sum ? 1.0f : 1.0f;",
        ("tests/test_input_bias.py",),
    ),
    Fault(
        "collisions-kept",
        COLLECT + "noise.h",
        "if (!is_among(target, n_targets, b->out_id[i]))",
        "if (1)",
        KERNEL,
    ),
    Fault(
        "noise-weight",
        COLLECT + "noise.h",
        "return (float)r->model->negative / (float)r->block.noise;",
        "return 1.0f + 0 * (float)r->model->negative;",
        KERNEL,
    ),
    Fault(
        "alias-never-taken",
        COLLECT + "noise.h",
        "noise->alias ^ ((noise->alias ^ column) & -is_column)",
        "column + 0 * is_column",
        KERNEL,
    ),
    Fault(
        "pair-weights-ignored",
        COLLECT + "pairs.h",
        "return weights[r->s.kept_begin[kept_pos]];",
        "return 1.0f + 0 * weights[r->s.kept_begin[kept_pos]];",
        ("tests/test_pairs_kernel.py",),
    ),
    Fault(
        "frozen-rows-move",
        CORE + "run.h",
        "? copied_row(r, row) : row;",
        "? (copied_row(r, row), row) : row;",
        ("tests/test_start.py", *KERNEL),
    ),
    # ---- several workers ----
    Fault(
        "replicas-not-flushed",
        COLLECT + "replicas.h",
        "    if (w->has_replicas) {",
        "    if (w->has_replicas > 1) {",
        ("tests/test_replicated_rows.py",),
    ),
    Fault(
        "input-replicas-not-synced",
        COLLECT + "replicas.h",
        "if (number % SYNCS_PER_INPUT_SYNC == 0)",
        "if (number < 0)",
        ("tests/test_replicated_rows.py",),
    ),
    Fault(
        "sync-overshoots",
        COLLECT + "replicas.h",
        "now += share * (load(p->replica + i) - load(p->fork + i));",
        "now += share / share * (load(p->replica + i) - load(p->fork + i));",
        ("tests/test_replicated_rows.py",),
    ),
    Fault(
        "merge-of-three",
        "fastw2v/_c/merge.c",
        "m->touched[c][row] && i < n; i++)",
        "c < 3 && m->touched[c][row] && i < n; i++)",
        ("tests/test_deterministic.py",),
    ),
    Fault(
        "marks-of-three",
        "fastw2v/_c/merge.c",
        "any |= m->touched[c][row];",
        "any |= c < 3 && m->touched[c][row];",
        ("tests/test_deterministic.py",),
    ),
    # ---- samplers and schedules ----
    Fault(
        "noise-exponent-ignored",
        "fastw2v/sampling/probabilities.py",
        "np.power(seen / most_drawn, power)",
        "np.power(seen / most_drawn, 1.0)",
        SAMPLING,
    ),
    Fault(
        "subsampling-without-root",
        "fastw2v/sampling/probabilities.py",
        "np.sqrt(ratio) + ratio",
        "ratio",
        SAMPLING,
    ),
    Fault(
        "learning-rate-not-decayed",
        "fastw2v/training/parameters.py",
        "return first + (last - first) * progress",
        "return first",
        ("tests/test_schedule.py",),
    ),
    Fault(
        "same-draws-each-epoch",
        "fastw2v/training/trainer.py",
        "epoch_key(self.parameters.seed, self.epoch)",
        "epoch_key(self.parameters.seed, 0)",
        ("tests/test_trainer.py",),
    ),
    Fault(
        "huffman-lighter-of-two",
        "fastw2v/_c/tables.c",
        "counts[*leaf] < weights[*inner]",
        "counts[*leaf] > weights[*inner]",
        SAMPLING,
    ),
    Fault(
        "alias-weights-not-carried",
        "fastw2v/_c/tables.c",
        "weights[large] -= 1.0 - weights[small];",
        "weights[large] -= 0.5 * (1.0 - weights[small]);",
        SAMPLING,
    ),
    # ---- text ----
    Fault(
        "rehash-overwrites",
        TEXT + "tokens.c",
        "        while (words->slots[slot])\n            slot = (slot + 1) & mask;\n",
        "",
        TOKENS,
    ),
    Fault(
        "arena-lost-as-it-grows",
        "fastw2v/corpus/lexicon.py",
        "self._arena = _resized(self._arena, used,",
        "self._arena = _resized(self._arena, used // 2,",
        TOKENS,
    ),
    Fault(
        "long-words-told-apart-by-hash",
        TEXT + "tokens.c",
        "return memcmp(known, word->begin, (size_t)word->length) == 0;",
        "return 1;",
        TOKENS,
    ),
    Fault(
        "short-words-told-apart-by-half",
        TEXT + "tokens.c",
        "return ((low ^ word->low) | (high ^ word->high)) == 0;",
        "(void)high; return low == word->low;",
        TOKENS,
    ),
    Fault(
        "tab-is-no-space",
        TEXT + "tokens.c",
        "ones * (0x80 - '\\t')",
        "ones * (0x80 - '\\n')",
        TOKENS,
    ),
    Fault(
        "rest-of-a-division-forgotten",
        TEXT + "vector_parse.c",
        "quotient * divisor != dividend);",
        "0 * divisor != 0);",
        NUMBERS,
    ),
    Fault(
        "ties-round-up",
        TEXT + "vector_parse.c",
        "(more || (mantissa & 1))",
        "(more || 1)",
        NUMBERS,
    ),
    Fault(
        "truncated-digits-forgotten",
        TEXT + "vector_parse.c",
        "number->truncated |= byte != '0';",
        "number->truncated |= 0 * byte;",
        NUMBERS,
    ),
    # ---- files ----
    Fault(
        "replaced-byte-by-byte",
        "fastw2v/base/atomic.py",
        "os.replace(file.temporary, file.target)",
        "(shutil.copyfile(file.temporary, file.target), os.unlink(file.temporary))",
        ("tests/test_atomic_write.py",),
    ),
    Fault(
        "not-synced-to-disk",
        "fastw2v/base/atomic.py",
        "os.fsync(file.fileno())",
        "pass",
        ("tests/test_atomic_write.py",),
    ),
    Fault(
        "folder-not-synced-to-disk",
        "fastw2v/base/atomic.py",
        "    try:\n        os.fsync(file)\n",
        "    try:\n        pass\n",
        ("tests/test_atomic_write.py", "tests/test_replaced_as_one.py"),
    ),
    Fault(
        "checksums-not-compared",
        "fastw2v/formats/tensor_file.py",
        "if checksum(blocks) != self._unverified.pop(key):",
        'if checksum(blocks) == self._unverified.pop(key) == b"":',
        ("tests/test_native_format.py",),
    ),
    Fault(
        "loss-measured-twice",
        STEP + "block_step.h",
        "with_loss = w->block_number % m->loss_every == 0;",
        "with_loss = w->block_number % (m->loss_every + 1) == 0;",
        ("tests/test_loss.py", *KERNEL),
    ),
)
