/* Private copies of the rows that all threads would write at once: the most frequent words and
   the top of the Huffman tree. Between two exchanges a worker changes its copy alone; then it
   adds its change to the shared row and takes that back. What all threads write is what stops
   them scaling: each write takes the cache line away from the others. */
#ifndef W2V_HOT_ROWS_H
#define W2V_HOT_ROWS_H

#include "run.h"

enum { HOT_CENTRES = 2000 }; /* centres between two exchanges */

static void take_rows(float *mine, float *base, const float *shared, int64_t n_floats)
{
    for (int64_t i = 0; i < n_floats; i += W2V_LANES) {
        store(base + i, load(shared + i));
        store(mine + i, load(base + i));
    }
}

static void give_rows(const float *mine, const float *base, float *shared, int64_t n_floats)
{
    for (int64_t i = 0; i < n_floats; i += W2V_LANES)
        store(shared + i, load(shared + i) + (load(mine + i) - load(base + i)));
}

static void take_hot_rows(run *r)
{
    const w2v_model *m = r->model;
    int64_t stride = m->stride_floats;
    take_rows(r->s.hot_in, r->s.hot_in_base, m->in_rows, m->n_hot_in * stride);
    take_rows(r->s.hot_out, r->s.hot_out_base, m->out_rows + m->first_hot_out * stride,
              m->n_hot_out * stride);
}

static void give_hot_rows(run *r)
{
    const w2v_model *m = r->model;
    int64_t stride = m->stride_floats;
    give_rows(r->s.hot_in, r->s.hot_in_base, m->in_rows, m->n_hot_in * stride);
    give_rows(r->s.hot_out, r->s.hot_out_base, m->out_rows + m->first_hot_out * stride,
              m->n_hot_out * stride);
}

/* Call before each block: exchanges when HOT_CENTRES have passed since the last time. */
INLINE void exchange_hot_rows(run *r, int64_t begin)
{
    if (begin - r->last_exchange < HOT_CENTRES)
        return;
    r->last_exchange = begin;
    give_hot_rows(r);
    take_hot_rows(r);
}

#endif
