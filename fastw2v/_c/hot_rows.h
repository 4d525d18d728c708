/* Private copies of the rows that all threads would write at once: the most frequent words and
   the top of the Huffman tree. Between two exchanges a worker changes its copy alone; then it
   adds its change to the shared row and takes that back. What all threads write is what stops
   them scaling: each write takes the cache line away from the others, and an exchange of a row
   costs 60 ns for the same reason. So the less frequent a row is, the more seldom it is exchanged:
   a sixteenth of the rows each time, a quarter every fourth time, all every sixteenth. */
#ifndef W2V_HOT_ROWS_H
#define W2V_HOT_ROWS_H

#include "run.h"

/* Hot rows of one matrix: private, as they were taken, shared; each (n_floats,). */
typedef struct {
    float *mine, *base, *shared;
    int64_t n_floats;
} hot_rows;

/* The most frequent n_rows, which come first. */
static hot_rows hot_inputs(const run *r, int64_t n_rows)
{
    return (hot_rows){r->s.hot_in, r->s.hot_in_base, r->model->in_rows,
                      n_rows * r->model->stride_floats};
}

/* The most frequent words come first, the top of the tree comes last. */
static hot_rows hot_outputs(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    int64_t first = m->objective == W2V_HIERARCHICAL_SOFTMAX ? m->n_hot_out - n_rows : 0;
    int64_t at = first * m->stride_floats;
    float *shared = m->out_rows + (m->first_hot_out + first) * m->stride_floats;
    return (hot_rows){r->s.hot_out + at, r->s.hot_out_base + at, shared, n_rows * m->stride_floats};
}

/* Give what changed since the rows were taken, then take them. */
INLINE void exchange_rows(hot_rows h, const int gives)
{
    for (int64_t i = 0; i < h.n_floats; i += W2V_LANES) {
        vf now = load(h.shared + i);
        if (gives) {
            now += load(h.mine + i) - load(h.base + i);
            store(h.shared + i, now);
        }
        store(h.base + i, now);
        store(h.mine + i, now);
    }
}

/* Frozen rows are only taken: adding no change would turn -0 into 0. */
static void exchange_inputs(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    hot_rows all = hot_inputs(r, n_rows), row = all;
    if (!m->frozen) {
        exchange_rows(all, 1);
        return;
    }
    row.n_floats = m->stride_floats;
    for (int64_t id = 0, i = 0; id < n_rows; id++, i += m->stride_floats) {
        row.mine = all.mine + i, row.base = all.base + i, row.shared = all.shared + i;
        if (m->frozen[id])
            exchange_rows(row, 0);
        else
            exchange_rows(row, 1);
    }
}

static void exchange_outputs(const run *r, int64_t n_rows)
{
    exchange_rows(hot_outputs(r, n_rows), 1);
}

static void take_hot_rows(const run *r)
{
    exchange_rows(hot_inputs(r, r->model->n_hot_in), 0);
    exchange_rows(hot_outputs(r, r->model->n_hot_out), 0);
}

/* Inputs take part in every eighth exchange only. With 256 private ones, exchanged every 1,000
   centres, the loss of CBOW's first epoch rose by 0.15 %; with outputs, every 250, by 1.0 %. */
enum { INPUTS_EVERY = 8 };

/* How many of n_rows take part in an exchange. */
static int64_t n_exchanged(int64_t n_rows, int64_t exchange)
{
    return exchange % 16 == 0 ? n_rows : exchange % 4 == 0 ? n_rows / 4 : n_rows / 16;
}

static void give_hot_rows(const run *r)
{
    exchange_inputs(r, r->model->n_hot_in);
    exchange_outputs(r, r->model->n_hot_out);
}

/* Call before each block: exchanges when so many centres have passed since the last time. */
INLINE void exchange_hot_rows(run *r, int64_t begin)
{
    const w2v_model *m = r->model;
    if (begin - r->last_exchange < m->hot_centres)
        return;
    r->last_exchange = begin;
    int64_t number = ++r->n_exchanges;
    exchange_outputs(r, n_exchanged(m->n_hot_out, number));
    if (number % INPUTS_EVERY == 0)
        exchange_inputs(r, n_exchanged(m->n_hot_in, number / INPUTS_EVERY));
}

#endif
