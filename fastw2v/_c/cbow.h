/* CBOW: hidden rows are the means of context rows, and their changes go back to these. */
#ifndef W2V_CBOW_H
#define W2V_CBOW_H

#include "run.h"

INLINE int64_t n_contexts(const scratch *s, int64_t centre)
{
    return s->kept_end[centre] - s->kept_begin[centre] - 1;
}

/* hidden[slot] = the mean or the sum of the centre's context rows, zero if it has none. */
static void set_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    int64_t n = 0, stride = r->model->stride_floats;
    float share = r->model->cbow_sum ? 1.0f : 1.0f / (float)max64(n_contexts(s, centre), 1);
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            s->context_row[n++] = in_row(r, c);
    s->in_row[slot] = s->hidden + slot * stride;
    tile t = {.target = s->in_row + slot, .n_targets = 1, .overwrite = 1};
    t.source = s->context_row, t.n_sources = n, t.factors = &share;
    add_products(&t, r->shape);
}

/* Hand the change of the hidden row to the context rows: that of a mean divided among them
   (Irsoy et al. 2021, arXiv 2012.15332, section 2) or, as word2vec.c does, undivided; that of a
   sum undivided or, as gensim does, divided. */
static void scatter_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    float factor = r->model->cbow_rate;
    if (r->model->cbow_divide)
        factor /= (float)n_contexts(s, centre);
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            add_row(in_row(r, c), s->in_change_row[slot], factor, r->shape.n_vectors);
}

#endif
