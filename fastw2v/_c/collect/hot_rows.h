/* Private copies of the rows that all threads would write at once: the most frequent words and
   the top of the Huffman tree. Between two exchanges a worker changes its copy alone; then it
   adds a share of its change to the shared row and takes that back: the whole change if the row
   changed little, less if the sum of all workers' changes would overshoot. What all threads write
   is what stops them scaling: each write takes the cache line away from the others, and an
   exchange of a row costs 60 ns for the same reason. So the less frequent a row is, the more
   seldom it is exchanged: a sixteenth of the rows each time, a quarter every fourth time, all every
   sixteenth. */
#ifndef W2V_HOT_ROWS_H
#define W2V_HOT_ROWS_H

#include "core/run.h"

/* Hot rows of one matrix: private, as they were taken, shared; each (n, stride). */
typedef struct {
    float *mine, *base, *shared;
    const float *share; /* (n,) of a change, that the shared row gets */
    int64_t n, stride;
} hot_rows;

/* The most frequent n_rows, which come first. */
static hot_rows hot_inputs(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    return (hot_rows){r->s.hot_in, r->s.hot_in_base, m->in_rows, m->hot_in_share, n_rows,
                      m->stride_floats};
}

/* The most frequent words come first, the top of the tree comes last. */
static hot_rows hot_outputs(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    int64_t first = m->objective == W2V_HIERARCHICAL_SOFTMAX ? m->n_hot_out - n_rows : 0;
    int64_t at = first * m->stride_floats;
    float *shared = m->out_rows + (m->first_hot_out + first) * m->stride_floats;
    return (hot_rows){r->s.hot_out + at, r->s.hot_out_base + at, shared, m->hot_out_share + first,
                      n_rows, m->stride_floats};
}

/* Give of what changed since the row was taken, then take it. */
INLINE void exchange_row(const hot_rows *h, int64_t row, const int gives)
{
    vf share = splat(h->share[row]);
    for (int64_t i = row * h->stride; i < (row + 1) * h->stride; i += LANES) {
        vf now = load(h->shared + i);
        if (gives) {
            now += share * (load(h->mine + i) - load(h->base + i));
            store(h->shared + i, now);
        }
        store(h->base + i, now);
        store(h->mine + i, now);
    }
}

INLINE void exchange_rows(hot_rows h, const int gives)
{
    for (int64_t row = 0; row < h.n; row++)
        exchange_row(&h, row, gives);
}

/* Frozen rows are only taken: adding no change would turn -0 into 0. */
static void exchange_inputs(const run *r, int64_t n_rows)
{
    hot_rows h = hot_inputs(r, n_rows);
    for (int64_t row = 0; row < n_rows; row++)
        exchange_row(&h, row, !is_frozen(r, row));
}

static void exchange_outputs(const run *r, int64_t n_rows)
{
    exchange_rows(hot_outputs(r, n_rows), 1);
}

/* Inputs take part in every eighth exchange only. With 256 private ones, exchanged every 1,000
   centres, the loss of CBOW's first epoch rose by 0.15 %; with outputs, every 250, by 1.0 %. */
enum { INPUTS_EVERY = 8 };

/* How many of n_rows take part in an exchange; hot_rows.py counts on it. */
static int64_t n_exchanged(int64_t n_rows, int64_t exchange)
{
    return exchange % 16 == 0 ? n_rows : exchange % 4 == 0 ? n_rows / 4 : n_rows / 16;
}

/* Call before the first block of a chunk. A worker's hot rows outlast its chunks: taken and given
   with each of them, the rows cost two threads 1 to 4 % where their cores are far apart. */
static void begin_with_hot_rows(run *r)
{
    w2v_worker *w = r->worker;
    r->last_exchange = r->trained.begin - w->n_since_exchange;
    if (w->has_hot_rows)
        return;
    exchange_rows(hot_inputs(r, r->model->n_hot_in), 0);
    exchange_rows(hot_outputs(r, r->model->n_hot_out), 0);
    w->has_hot_rows = 1;
}

static void end_with_hot_rows(run *r)
{
    r->worker->n_since_exchange = r->trained.end - r->last_exchange;
}

static void give_hot_rows(const w2v_model *m, w2v_worker *w)
{
    run r = {.model = m, .worker = w, .s = carve_scratch(m, 0, w->scratch)};
    if (w->has_hot_rows) {
        exchange_inputs(&r, m->n_hot_in);
        exchange_outputs(&r, m->n_hot_out);
    }
    w->has_hot_rows = w->n_exchanges = w->n_since_exchange = 0;
}

/* Call before each block: exchanges when so many centres have passed since the last time. */
INLINE void exchange_hot_rows(run *r, int64_t begin)
{
    const w2v_model *m = r->model;
    if (begin - r->last_exchange < m->hot_centres)
        return;
    r->last_exchange = begin;
    int64_t number = ++r->worker->n_exchanges;
    exchange_outputs(r, n_exchanged(m->n_hot_out, number));
    if (number % INPUTS_EVERY == 0)
        exchange_inputs(r, n_exchanged(m->n_hot_in, number / INPUTS_EVERY));
}

#endif
