/* A worker's scratch memory: one buffer, carved the same way by whoever measures or uses it. */
#ifndef W2V_SCRATCH_H
#define W2V_SCRATCH_H

#include <stddef.h>

#include "core/api.h"

/* Floats of a row that tiles update at once: sums of whole rows of dimension 300 take 40 KB, and
   pushed the rest out of L1. */
enum { PANEL_FLOATS = 128 };

enum { PATHS = 2 }; /* Huffman paths whose steps are taken at once */

/* Rows of the next block that wait to be prefetched: see step/prefetch.h. */
typedef struct {
    float **row; /* (2 centres + (turns + 1) noise,) of the largest block */
    int64_t n;
    int64_t dim;
    int for_write; /* 1: prefetch for a write, see w2v_prefetch_for_write */
} prefetch_queue;

/* out_step: max_out rounded up to 16, with hierarchical softmax PATHS * path_step; in_rows: max_in
   rounded up to 32; out_rows: out_step to 32 */
typedef struct {
    float **in_row;        /* (max_in + 16,) */
    float **in_change_row; /* (max_in,) rows of in_change */
    float **step_change_row; /* (max_in,) those of in_change that a CBOW step changes */
    float **context_row;   /* (max_in + 1,) contexts of CBOW centres; skip-gram: see in_bias.h */
    float **centre_change; /* (max_in,) the change of a CBOW centre, at its place among contexts */
    float *centre_factor;  /* (max_in,) what a context gets of it; 0 for what is no centre */
    float **paired_row;       /* (max_in + 16,) outputs that input j alone is paired with */
    int32_t *paired_id;       /* (max_in + 16,) their numbers */
    float *running;        /* (max_in + 1, stride_floats) CBOW: see cbow.h */
    float **out_row;       /* (out_step,) */
    float *want;           /* (in_rows, out_step) p of the block step; of paths (out_step,) */
    float *weight;         /* (in_rows, out_step) p + q; of paths (out_step,) */
    float *scores;         /* (in_rows, out_step), softmax: (max_in, score_stride), of paths:
                              (max_in + PATHS, path_step) */
    float *bias;           /* (out_step,) biases of the block's outputs */
    int32_t *column_begin;  /* (max_out + 16,) per output column: first context of its centre */
    int32_t *column_end;    /* (max_out + 16,) past the last */
    int32_t *column_centre; /* (max_out + 16,) the centre itself, index into kept_id */
    float *column_share;   /* (max_out + 16,) K/S for a noise word, 0 for a centre */
    float *n_paired;       /* (max_in + 16,) predictions each input takes part in */
    float *zero_row;       /* (stride_floats,) pads the outputs to whole tiles */
    float *hidden;         /* (max_in, stride_floats) CBOW means; softmax: packed inputs; see
                              in_bias.h */
    float *in_change;      /* (max_in, stride_floats) what is to be added to the inputs */
    float *frozen;         /* (n_frozen, stride_floats) copies of frozen input rows, in a ring */
    int64_t *next_frozen;  /* (1,) the next of them */
    prefetch_queue *queue;    /* (1,) */
    float *in_replica;         /* (n_replicated_in, stride_floats) private rows */
    float *in_fork;    /* (n_replicated_in, stride_floats) the shared rows they were taken from */
    float *out_replica;        /* (n_replicated_out, stride_floats) */
    float *out_fork;   /* (n_replicated_out, stride_floats) */
    int32_t *out_id;       /* (max_out + 16,) output of each column */
    int32_t *noise_id;     /* (turns, noise) drawn one step ahead */
    int64_t *oldest_noise; /* (turns,) the next of them to be replaced */
    int32_t *noise_column; /* (noise,) of the alias table, for the next of them */
    uint32_t *noise_bits;  /* (noise,) against that column's threshold */
    int32_t *pair_input;   /* (centres * 2 * window,) softmax only: input of each pair */
    int32_t *pair_target;  /* (centres * 2 * window,) softmax only: its target word */
    float *pair_weight;    /* (centres * 2 * window,) softmax only: its weight */
    int32_t *kept_id;      /* (max_tokens,) tokens left by subsampling */
    int32_t *kept_begin;   /* (max_tokens,) first context, index into kept_id */
    int32_t *kept_end;     /* (max_tokens,) past the last context */
    int64_t n_frozen;      /* twice the inputs of a block, 0 if no row is frozen */
    char *in_along;        /* (in_rows, row_bytes): bfloat16, see matrix_unit.h, bfloat16.h */
    char *in_pairwise;     /* (in_rows, row_bytes) */
    char *out_across;      /* (out_rows, row_bytes) */
    char *out_pairwise;    /* (out_rows, row_bytes) */
    char *factors;         /* (in_rows, out_rows) bfloat16 */
    char *factors_across;  /* (out_rows, in_rows) bfloat16 */
    uint64_t *weighted;     /* (in_rows,) bit k: output k has a weight, see bfloat16_step.h */
    uint64_t *weighted_pair; /* (in_rows / 2,) with either of two inputs */
    float *sums[2];        /* (16, PANEL_FLOATS) each: of a tile of rows */
    int64_t max_in;        /* most inputs of a block */
    int64_t path_step;     /* floats of a row of scores of a path */
    int64_t score_stride;  /* floats per row of softmax scores */
    int64_t n_bytes;
} scratch;

static inline void *carve(scratch *s, char *base, int64_t n, size_t item_bytes)
{
    void *place = base ? base + s->n_bytes : NULL;
    int64_t line = W2V_CACHE_LINE;
    s->n_bytes += (n * (int64_t)item_bytes + line - 1) / line * line;
    return place;
}

/* Lay the arrays out from base; with base NULL only n_bytes is of use. */
static inline scratch carve_scratch(const w2v_model *m, int64_t max_tokens, char *base)
{
    scratch s = {0};
    int is_softmax = m->objective == W2V_SOFTMAX;
    int by_path = m->objective == W2V_HIERARCHICAL_SOFTMAX;
    s.path_step = (m->longest_path + 15) / 16 * 16;
    int64_t max_in = m->largest.centres + 2 * (int64_t)m->window;
    int64_t max_out = by_path ? PATHS * s.path_step : m->largest.centres + m->largest.noise;
    s.max_in = max_in;
    int64_t out_step = (max_out + 15) / 16 * 16;
    int64_t in_rows = (max_in + 31) / 32 * 32;
    int64_t n_weights = by_path ? out_step : is_softmax ? 0 : in_rows * out_step + in_rows + 32;
    int64_t n_scores = by_path ? (max_in + PATHS) * s.path_step : n_weights;
    int64_t n_pairs = is_softmax ? 2 * (int64_t)m->largest.centres * m->window : 0;
    s.score_stride = is_softmax ? (m->n_outputs + 15) / 16 * 16 : 0;
    s.in_row = carve(&s, base, max_in + 16, sizeof(float *));
    s.in_change_row = carve(&s, base, max_in, sizeof(float *));
    s.step_change_row = carve(&s, base, max_in, sizeof(float *));
    s.context_row = carve(&s, base, max_in + 1, sizeof(float *));
    s.centre_change = carve(&s, base, max_in, sizeof(float *));
    s.centre_factor = carve(&s, base, max_in, sizeof(float));
    s.paired_row = carve(&s, base, max_in + 16, sizeof(float *));
    s.paired_id = carve(&s, base, max_in + 16, sizeof(int32_t));
    s.running = carve(&s, base, m->is_cbow ? (max_in + 1) * m->stride_floats : 0, sizeof(float));
    s.out_row = carve(&s, base, out_step, sizeof(float *));
    s.want = carve(&s, base, n_weights, sizeof(float));
    s.weight = carve(&s, base, n_weights, sizeof(float));
    s.scores = carve(&s, base, is_softmax ? max_in * s.score_stride : n_scores, sizeof(float));
    s.bias = carve(&s, base, out_step, sizeof(float));
    s.column_begin = carve(&s, base, max_out + 16, sizeof(int32_t));
    s.column_end = carve(&s, base, max_out + 16, sizeof(int32_t));
    s.column_centre = carve(&s, base, max_out + 16, sizeof(int32_t));
    s.column_share = carve(&s, base, max_out + 16, sizeof(float));
    s.n_paired = carve(&s, base, max_in + 16, sizeof(float));
    s.zero_row = carve(&s, base, m->stride_floats, sizeof(float));
    s.hidden = carve(&s, base, max_in * m->stride_floats, sizeof(float));
    s.in_change = carve(&s, base, max_in * m->stride_floats, sizeof(float));
    s.n_frozen = m->frozen ? 2 * max_in : 0;
    s.frozen = carve(&s, base, s.n_frozen * m->stride_floats, sizeof(float));
    s.next_frozen = carve(&s, base, 1, sizeof(int64_t));
    s.queue = carve(&s, base, 1, sizeof(prefetch_queue));
    int64_t n_noise = m->largest.interleaved_steps * (int64_t)m->largest.noise;
    int64_t max_queued = 2 * (int64_t)m->largest.centres + n_noise + m->largest.noise;
    float **queued_row = carve(&s, base, max_queued, sizeof(float *));
    if (base)
        *s.queue = (prefetch_queue){.row = queued_row, .dim = m->dim, .for_write = m->prefetch_for_write};
    s.in_replica = carve(&s, base, m->n_replicated_in * m->stride_floats, sizeof(float));
    s.in_fork = carve(&s, base, m->n_replicated_in * m->stride_floats, sizeof(float));
    s.out_replica = carve(&s, base, m->n_replicated_out * m->stride_floats, sizeof(float));
    s.out_fork = carve(&s, base, m->n_replicated_out * m->stride_floats, sizeof(float));
    s.out_id = carve(&s, base, max_out + 16, sizeof(int32_t));
    s.noise_id = carve(&s, base, n_noise, sizeof(int32_t));
    s.oldest_noise = carve(&s, base, m->largest.interleaved_steps, sizeof(int64_t));
    s.noise_column = carve(&s, base, m->largest.noise, sizeof(int32_t));
    s.noise_bits = carve(&s, base, m->largest.noise, sizeof(uint32_t));
    s.pair_input = carve(&s, base, n_pairs, sizeof(int32_t));
    s.pair_target = carve(&s, base, n_pairs, sizeof(int32_t));
    s.pair_weight = carve(&s, base, n_pairs, sizeof(float));
    int64_t row_bytes = (m->stride_floats + 31) / 32 * 64, out_rows = (out_step + 31) / 32 * 32;
    int64_t packed = m->objective == W2V_NEGATIVE_SAMPLING;
    s.in_along = carve(&s, base, packed * in_rows * row_bytes, 1);
    s.in_pairwise = carve(&s, base, packed * in_rows * row_bytes, 1);
    s.out_across = carve(&s, base, packed * out_rows * row_bytes, 1);
    s.out_pairwise = carve(&s, base, packed * out_rows * row_bytes, 1);
    s.factors = carve(&s, base, packed * in_rows * out_rows, 2);
    s.factors_across = carve(&s, base, packed * in_rows * out_rows, 2);
    s.weighted = carve(&s, base, packed * in_rows, sizeof(uint64_t));
    s.weighted_pair = carve(&s, base, packed * in_rows / 2, sizeof(uint64_t));
    s.sums[0] = carve(&s, base, packed * 16 * PANEL_FLOATS, sizeof(float));
    s.sums[1] = carve(&s, base, packed * 16 * PANEL_FLOATS, sizeof(float));
    s.kept_id = carve(&s, base, max_tokens, sizeof(int32_t));
    s.kept_begin = carve(&s, base, max_tokens, sizeof(int32_t));
    s.kept_end = carve(&s, base, max_tokens, sizeof(int32_t));
    return s;
}

#endif
