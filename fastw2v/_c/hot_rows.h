/* Private copies of the rows that all threads would write at once: the most frequent words and
   the top of the Huffman tree. Between two exchanges a worker changes its copy alone; then it
   adds its change to the shared row and takes that back. What all threads write is what stops
   them scaling: each write takes the cache line away from the others. */
#ifndef W2V_HOT_ROWS_H
#define W2V_HOT_ROWS_H

#include "run.h"

/* The hot rows of one matrix: private, as they were taken, shared; each (n_floats,). */
typedef struct {
    float *mine, *base, *shared;
    int64_t n_floats;
} hot_rows;

static hot_rows hot_inputs(const run *r)
{
    const w2v_model *m = r->model;
    return (hot_rows){r->s.hot_in, r->s.hot_in_base, m->in_rows, m->n_hot_in * m->stride_floats};
}

static hot_rows hot_outputs(const run *r)
{
    const w2v_model *m = r->model;
    float *shared = m->out_rows + m->first_hot_out * m->stride_floats;
    return (hot_rows){r->s.hot_out, r->s.hot_out_base, shared, m->n_hot_out * m->stride_floats};
}

static void take_rows(hot_rows h)
{
    for (int64_t i = 0; i < h.n_floats; i += W2V_LANES) {
        store(h.base + i, load(h.shared + i));
        store(h.mine + i, load(h.base + i));
    }
}

static void give_rows(hot_rows h)
{
    for (int64_t i = 0; i < h.n_floats; i += W2V_LANES)
        store(h.shared + i, load(h.shared + i) + (load(h.mine + i) - load(h.base + i)));
}

static void take_hot_rows(const run *r)
{
    take_rows(hot_inputs(r));
    take_rows(hot_outputs(r));
}

/* Frozen rows are left out: adding no change would turn -0 into 0. */
static void give_inputs(const run *r)
{
    const w2v_model *m = r->model;
    hot_rows all = hot_inputs(r), row = all;
    row.n_floats = m->stride_floats;
    for (int64_t id = 0, i = 0; id < m->n_hot_in; id++, i += m->stride_floats) {
        row.mine = all.mine + i, row.base = all.base + i, row.shared = all.shared + i;
        if (!m->frozen[id])
            give_rows(row);
    }
}

static void give_hot_rows(const run *r)
{
    if (r->model->frozen)
        give_inputs(r);
    else
        give_rows(hot_inputs(r));
    give_rows(hot_outputs(r));
}

/* Call before each block: exchanges when so many centres have passed since the last time. */
INLINE void exchange_hot_rows(run *r, int64_t begin)
{
    if (begin - r->last_exchange < r->model->hot_centres)
        return;
    r->last_exchange = begin;
    give_hot_rows(r);
    take_hot_rows(r);
}

#endif
