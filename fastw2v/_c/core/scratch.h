/* A worker's scratch memory: one buffer. The same code lays it out to measure it and to use it. */
#ifndef W2V_SCRATCH_H
#define W2V_SCRATCH_H

#include <stddef.h>

#include "core/api.h"

#ifdef W2V_RED_ZONES
#include <sanitizer/asan_interface.h>
#endif

/* Floats of a row that tiles update at once. Sums of whole rows take 40 KB at dimension 300, which
   pushed everything else out of L1. */
enum { PANEL_FLOATS = 128 };

enum { PATHS = 2 }; /* Huffman paths whose steps are taken at once */

/* Rows of the next block that wait to be prefetched, see step/prefetch.h. */
typedef struct {
    float **row;   /* (max_queued,), of which n are in the queue */
    int64_t n;
    int64_t dim;   /* floats of a row that are prefetched */
    int for_write; /* 1: prefetch for a write */
} prefetch_queue;

#define ARRAY(type, name, n) type *name;
#define MATRIX(type, name, n_rows, n_columns) type *name;

typedef struct {
#include "core/scratch_arrays.h"
    int64_t max_in;       /* inputs of a block at most */
    int64_t path_step;    /* floats of a path's row of scores */
    int64_t score_stride; /* floats of a row of softmax scores */
    int64_t n_bytes;      /* of all arrays */
    int64_t n_frozen;     /* rows of frozen: twice the inputs of a block, 0 if no row is frozen */
} scratch;

#undef ARRAY
#undef MATRIX

static inline int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

static inline int draws_noise(const w2v_model *m)
{
    return (m->objective & W2V_NEGATIVE_SAMPLING) != 0;
}

static inline int has_paths(const w2v_model *m)
{
    return (m->objective & W2V_HIERARCHICAL_SOFTMAX) != 0;
}

static inline int adds_losses(const w2v_model *m)
{
    return m->objective == (W2V_NEGATIVE_SAMPLING | W2V_HIERARCHICAL_SOFTMAX);
}

static inline void *carve(scratch *s, char *base, int64_t n, size_t item_bytes)
{
    char *array = base ? base + s->n_bytes : NULL;
    int64_t n_bytes = n * (int64_t)item_bytes;
    int64_t n_taken = round_up(n_bytes, W2V_CACHE_LINE) + W2V_RED_ZONE_BYTES;
#ifdef W2V_RED_ZONES
    if (base) {
        ASAN_UNPOISON_MEMORY_REGION(array, n_bytes);
        ASAN_POISON_MEMORY_REGION(array + n_bytes, n_taken - n_bytes);
    }
#endif
    s->n_bytes += n_taken;
    return array;
}

#define ARRAY(type, name, n) s.name = carve(&s, base, n, sizeof(type));
#define MATRIX(type, name, n_rows, n_columns) ARRAY(type, name, (n_rows) * (n_columns))

/* Lay the arrays out from base. With base NULL only the sizes are of use. */
static inline scratch carve_scratch(const w2v_model *m, int64_t max_tokens, char *base)
{
    scratch s = {0};
    int is_softmax = m->objective == W2V_SOFTMAX;
    int by_path = has_paths(m), is_packed = draws_noise(m);
    int64_t stride = m->stride_floats, centres = m->largest.centres;
    int64_t n_noise = m->largest.noise, n_steps = m->largest.interleaved_steps;
    int64_t max_in = centres + 2 * (int64_t)m->max_reach;
    if (!m->is_cbow && max_in > m->largest.contexts)
        max_in = centres > m->largest.contexts ? centres : m->largest.contexts;
    s.path_step = round_up(m->longest_path, 16);
    s.score_stride = is_softmax ? round_up(m->n_outputs, 16) : 0;
    s.n_frozen = m->frozen ? 2 * max_in : 0;
    s.max_in = max_in;
    int64_t of_paths = by_path * PATHS * s.path_step;
    int64_t of_words = is_packed || is_softmax ? centres + n_noise : 0;
    int64_t max_out = of_paths > of_words ? of_paths : of_words;
    int64_t out_step = round_up(max_out, 16);
    int64_t in_rows = round_up(max_in, 32), out_rows = round_up(out_step, 32);
    int64_t row_bytes = round_up(stride, 32) * 2;
    int64_t n_weights = is_packed ? in_rows * out_step + in_rows + 32 : by_path * out_step;
    int64_t n_scores = is_packed * n_weights + by_path * (max_in + PATHS) * s.path_step +
                       is_softmax * max_in * s.score_stride;
    int64_t n_running = m->is_cbow ? max_in + 1 : 0, n_frozen = s.n_frozen;
    int64_t n_pairs = is_softmax ? centres * max_in : 0;
    int64_t max_queued = 2 * centres + (n_steps + 1) * n_noise;
    int64_t packed_in = is_packed * in_rows, packed_out = is_packed * out_rows;
    int64_t packed_tile = is_packed * 16;
#include "core/scratch_arrays.h"
    if (base)
        *s.queue = (prefetch_queue){s.queued_row, 0, m->dim, m->prefetch_for_write};
    return s;
}

#undef ARRAY
#undef MATRIX

#endif
