/* CBOW: hidden rows are the means of context rows, and their changes go back to these. Here for one
   centre at a time; cbow_block.h does it for all of a block. */
#ifndef W2V_CBOW_H
#define W2V_CBOW_H

#include "run.h"

INLINE int64_t n_contexts(const scratch *s, int64_t centre)
{
    return s->kept_end[centre] - s->kept_begin[centre] - 1;
}

/* List the input rows of the centre's contexts in context_row; returns how many there are. */
static int64_t list_contexts(const run *r, int64_t centre)
{
    const scratch *s = &r->s;
    int64_t n = 0;
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            s->context_row[n++] = in_row(r, c);
    return n;
}

/* to = factor * the sum of n rows, a panel of them. */
INLINE void sum_panel(float *to, float *const *row, int64_t n, float factor, int64_t offset,
                      const int width)
{
    vf sum[W2V_ROW_VECTORS] = {};
    for (int64_t j = 0; j < n; j++) {
        const vf *from = (const vf *)(row[j] + offset);
        UNROLL
        for (int v = 0; v < width; v++)
            sum[v] += from[v];
    }
    UNROLL
    for (int v = 0; v < width; v++)
        store(to + offset + v * W2V_LANES, factor * sum[v]);
}

/* rows += factor * from, a panel of n rows. */
INLINE void spread_panel(const float *from, float *const *row, int64_t n, float factor,
                         int64_t offset, const int width)
{
    vf change[W2V_ROW_VECTORS];
    UNROLL
    for (int v = 0; v < width; v++)
        change[v] = factor * load(from + offset + v * W2V_LANES);
    for (int64_t j = 0; j < n; j++) {
        vf *to = (vf *)(row[j] + offset);
        UNROLL
        for (int v = 0; v < width; v++)
            to[v] += change[v];
    }
}

#define SUM_PANEL(offset, width) \
    sum_panel(s->in_row[slot], s->context_row, n, share, offset, width)
#define SPREAD_PANEL(offset, width) \
    spread_panel(s->in_change_row[slot], s->context_row, n, factor, offset, width)

/* hidden[slot] = the mean or the sum of the centre's context rows, zero if it has none. */
static void set_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    int64_t n = list_contexts(r, centre);
    float share = r->model->cbow_sum ? 1.0f : 1.0f / (float)max64(n, 1);
    s->in_row[slot] = s->hidden + slot * r->model->stride_floats;
    FOR_PANELS(r->shape.n_vectors, SUM_PANEL)
}

/* What a context row gets of the change of its hidden row: that of a mean is divided among them
   (Irsoy et al. 2021, arXiv 2012.15332, section 2) or, as word2vec.c does, undivided; that of a
   sum undivided or, as gensim does, divided. */
static float change_factor(const w2v_model *m, int64_t n)
{
    return m->cbow_divide ? m->cbow_rate / (float)max64(n, 1) : m->cbow_rate;
}

/* Hand the change of the hidden row to the context rows. */
static void scatter_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    int64_t n = list_contexts(r, centre);
    float factor = change_factor(r->model, n);
    FOR_PANELS(r->shape.n_vectors, SPREAD_PANEL)
}

#endif
