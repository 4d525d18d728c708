/* CBOW: hidden rows are means of context rows, and their changes go back to the context rows. All
   centres of a block are done at once. A window's sum is the difference of two running sums over
   the block's contexts, minus the centre's row; changes go back the same way. No branch depends on
   the sizes of windows, which cannot be predicted: x1.16 against one centre at a time. */
#ifndef W2V_CBOW_H
#define W2V_CBOW_H

#include "step/in_bias.h"

/* The most that a hidden row's change is multiplied by. Windows of 5 stay below it. With wider ones
   it holds the few words of short sentences, which at high learning rates ran away. */
#define MAX_FACTOR 6.0f

INLINE int64_t n_contexts(const scratch *s, int64_t centre)
{
    return s->kept_end[centre] - s->kept_begin[centre] - 1;
}

/* A panel of running[i] = the sum of the rows before i, i = 0..n. */
INLINE void running_panel(float *running, int64_t stride, float *const *row, int64_t n,
                          int64_t offset, const int width)
{
    vf sum[ROW_VECTORS] = {};
    float *to = running + offset;
    for (int64_t i = 0; i <= n; i++, to += stride) {
        const float *from = row[i] + offset;
        UNROLL
        for (int v = 0; v < width; v++) {
            store(to + v * LANES, sum[v]);
            sum[v] += load(from + v * LANES);
        }
    }
}

/* to = factor * (past - first - own) */
INLINE void window_sum(float *to, const float *past, const float *first, const float *own,
                       float factor, int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES)
        store(to + v, factor * (load(past + v) - load(first + v) - load(own + v)));
}

/* n, or fewer in a sentence far longer than others, which would outweigh them. */
INLINE float n_limited(const w2v_model *m, int64_t n)
{
    return (float)n < m->cbow_contexts ? (float)n : m->cbow_contexts;
}

/* How many times the mean of its n context rows, and in_bias, a hidden row is. */
INLINE float n_means(const w2v_model *m, int64_t n)
{
    return m->cbow_sum ? n_limited(m, n) : 1.0f;
}

static void add_in_bias(const run *r, int64_t begin, int64_t n_centres)
{
    for (int64_t k = 0; k < n_centres; k++)
        add_scaled(r->s.in_row[k], n_means(r->model, n_contexts(&r->s, begin + k)), r->model->in_bias,
                   r->shape.n_vectors);
}

#define RUNNING_PANEL(offset, width) \
    running_panel(s->running, stride, s->context_row, n, offset, width)

/* hidden[k] = the mean or the sum of the context rows of centre begin + k. Returns the contexts of
   all n_centres. */
static span set_hidden_rows(const run *r, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    span reach = reached(s, begin, begin + n_centres);
    int64_t n = reach.end - reach.begin, stride = r->model->stride_floats;
    for (int64_t i = 0; i < n; i++)
        s->context_row[i] = in_row(r, reach.begin + i);
    s->context_row[n] = s->zero_row;
    FOR_PANELS(r->shape.n_vectors, RUNNING_PANEL)
    for (int64_t k = 0; k < n_centres; k++) {
        int64_t c = begin + k;
        int64_t n_summed = max64(n_contexts(s, c), 1);
        float share = n_means(r->model, n_summed) / (float)n_summed;
        s->in_row[k] = s->hidden + k * stride;
        window_sum(s->in_row[k], s->running + (s->kept_end[c] - reach.begin) * stride,
                   s->running + (s->kept_begin[c] - reach.begin) * stride,
                   s->context_row[c - reach.begin], share, r->shape.n_vectors);
    }
    if (r->model->in_bias)
        add_in_bias(r, begin, n_centres);
    return reach;
}

/* first += factor * change; past -= factor * change */
INLINE void mark_change(const float *change, float *first, float *past, float factor,
                        int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES) {
        vf scaled = factor * load(change + v);
        store(first + v, load(first + v) + scaled);
        store(past + v, load(past + v) - scaled);
    }
}

/* A panel of row[i] += the sum of running[0..i] - factor[i] * change[i], where the last term takes
   back what a centre would add to itself. */
INLINE void spread_panel(const scratch *s, int64_t stride, int64_t n, int64_t offset,
                         const int width)
{
    vf sum[ROW_VECTORS] = {};
    const float *from = s->running + offset;
    for (int64_t i = 0; i < n; i++, from += stride) {
        float *to = s->context_row[i] + offset;
        const float *own = s->centre_change[i] + offset;
        vf factor = splat(s->centre_factor[i]);
        UNROLL
        for (int v = 0; v < width; v++) {
            sum[v] += load(from + v * LANES);
            vf change = sum[v] - factor * load(own + v * LANES);
            store(to + v * LANES, load(to + v * LANES) + change);
        }
    }
}

#define SPREAD_PANEL(offset, width) spread_panel(s, stride, n, offset, width)

/* What multiplies the change of a hidden row for each of its n context rows. A mean divides it by n
   (Irsoy et al. 2021, arXiv 2012.15332, section 2), but word2vec.c does not; a sum does not divide
   it, but gensim does. */
static float change_factor(const w2v_model *m, int64_t n)
{
    float n_contexts = (float)max64(n, 1);
    if (!m->cbow_divide)
        return m->cbow_rate * n_limited(m, n) / n_contexts;
    return m->cbow_rate < MAX_FACTOR * n_contexts ? m->cbow_rate / n_contexts : MAX_FACTOR;
}

static void move_in_bias_by_centres(run *r, int64_t begin, int64_t n_centres)
{
    float *const *change = r->s.in_change_row;
    for (int64_t k = 0; k < n_centres; k++)
        set_scaled(change[k], n_means(r->model, n_contexts(&r->s, begin + k)), change[k],
                   r->shape.n_vectors);
    move_in_bias(r, n_centres);
}

/* Add the changes of hidden rows to their context rows, times change_factor. */
static void scatter_hidden_rows(run *r, int64_t begin, int64_t n_centres, span reach)
{
    const scratch *s = &r->s;
    int64_t n = reach.end - reach.begin, stride = r->model->stride_floats;
    memset(s->running, 0, (size_t)((n + 1) * stride) * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        s->centre_change[i] = s->zero_row;
        s->centre_factor[i] = 0;
    }
    for (int64_t k = 0; k < n_centres; k++) {
        int64_t c = begin + k;
        float factor = change_factor(r->model, n_contexts(s, c));
        s->centre_change[c - reach.begin] = s->in_change_row[k];
        s->centre_factor[c - reach.begin] = factor;
        mark_change(s->in_change_row[k], s->running + (s->kept_begin[c] - reach.begin) * stride,
                    s->running + (s->kept_end[c] - reach.begin) * stride, factor,
                    r->shape.n_vectors);
    }
    FOR_PANELS(r->shape.n_vectors, SPREAD_PANEL)
    if (r->model->in_bias)
        move_in_bias_by_centres(r, begin, n_centres);
}

#endif
