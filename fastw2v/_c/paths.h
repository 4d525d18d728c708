/* Hierarchical softmax: one centre a block, its Huffman path the outputs
   (Mikolov et al. 2013, 1310.4546, section 2.1). */
#ifndef W2V_PATHS_H
#define W2V_PATHS_H

#include "cbow.h"

enum { HOT_NODES = 512 }; /* at the top of a Huffman tree: a few hundred KB of rows, in L2 */
enum { ROWS_AHEAD = 2, STEPS_AHEAD = 8 }; /* centres for which rows, or steps, are asked to come */

/* Start a block whose outputs are the inner nodes of the centre's Huffman path; code bit 0 is
   wanted, as in word2vec.c. Every input takes every step, so all rows of weights are alike. */
static block new_path_block(run *r, int64_t centre, int64_t n_in)
{
    const w2v_model *m = r->model;
    const scratch *s = &r->s;
    int32_t word = s->kept_id[centre];
    const int32_t *steps = m->path_steps + m->path_begin[word];
    block b = new_block(r, n_in, m->path_begin[word + 1] - m->path_begin[word]);
    for (int64_t k = 0; k < b.out_step; k++) {
        int is_step = k < b.out.n;
        if (is_step)
            set_output(r, k, steps[k] >> 1);
        s->want[k] = is_step ? (float)(1 - (steps[k] & 1)) : 0.0f;
        s->weight[k] = is_step ? 1.0f : 0.0f;
    }
    for (int64_t j = 1; j < n_in; j++)
        for (int64_t k = 0; k < b.out_step; k += W2V_LANES) {
            store_unaligned(s->want + j * b.out_step + k, load(s->want + k));
            store_unaligned(s->weight + j * b.out_step + k, load(s->weight + k));
        }
    end_weights(&b, s);
    return b;
}

/* Ask for the steps of a centre to come: their numbers decide branches, which wait for them. */
static void prefetch_steps(const run *r, int64_t centre)
{
    int32_t word = r->s.kept_id[min64(centre, r->trained.end - 1)];
    const int32_t *steps = r->model->path_steps + r->model->path_begin[word];
    __builtin_prefetch(steps);
    __builtin_prefetch(steps + PREFETCH_FLOATS - 1);
}

/* Ask for the rows of a centre to come, but not for the top of the tree, which stays hot:
   its nodes have the highest numbers. */
static void prefetch_path(const run *r, int64_t centre)
{
    const w2v_model *m = r->model;
    int64_t last = r->trained.end - 1;
    int32_t word = r->s.kept_id[min64(centre, last)];
    for (int64_t i = m->path_begin[word]; i < m->path_begin[word + 1]; i++)
        if ((m->path_steps[i] >> 1) < m->n_outputs - HOT_NODES)
            prefetch_row(out_row(r, m->path_steps[i] >> 1), m->dim);
    prefetch_row(in_place(r, min64(centre + m->window, last)), m->dim);
}

static void skipgram_path_block(run *r, int64_t centre)
{
    const scratch *s = &r->s;
    int64_t n_in = 0;
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            s->in_row[n_in++] = in_row(r, c);
    if (n_in == 0)
        return;
    block b = new_path_block(r, centre, n_in);
    block_step(r->model, r->worker, s, &b, r->shape, r->lr, n_in);
}

static void cbow_path_block(run *r, int64_t centre)
{
    if (n_contexts(&r->s, centre) == 0)
        return;
    set_hidden(r, centre, 0);
    block b = new_path_block(r, centre, 1);
    b.in_are_hidden = 1;
    float step = r->model->cbow_step > 0 ? r->model->cbow_step * (float)n_contexts(&r->s, centre) : 1;
    block_step(r->model, r->worker, &r->s, &b, r->shape, r->lr * step, 1);
    scatter_hidden(r, centre, 0);
}

#endif
