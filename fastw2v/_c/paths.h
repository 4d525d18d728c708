/* Hierarchical softmax: one centre a block, its Huffman path the outputs
   (Mikolov et al. 2013, 1310.4546, section 2.1). */
#ifndef W2V_PATHS_H
#define W2V_PATHS_H

#include "cbow.h"

enum { HOT_NODES = 512 }; /* at the top of a Huffman tree: a few hundred KB of rows, in L2 */
enum { ROWS_AHEAD = 2, STEPS_AHEAD = 8 }; /* centres for which rows, or steps, are asked to come */

/* Start a block whose outputs are the inner nodes of the centre's Huffman path; code bit 0 is
   wanted, as in word2vec.c. Every input takes every step, so all have the same weights. They are
   set by vectors: a branch on a code bit would go wrong every other time. Columns past the path
   hold scores of earlier blocks, and weigh nothing. */
INLINE block new_path_block(run *r, int64_t centre, int64_t n_in)
{
    const w2v_model *m = r->model;
    const scratch *s = &r->s;
    int32_t word = s->kept_id[centre];
    const int32_t *steps = m->path_steps + m->path_begin[word];
    block b = new_block(r, n_in, m->path_begin[word + 1] - m->path_begin[word]);
    b.out_step = round_up(b.out_step, W2V_LANES);
    b.is_path = 1;
    for (int64_t k = 0; k < b.out.n; k++) {
        s->out_id[k] = steps[k];
        s->out_row[k] = out_row(r, steps[k] >> 1);
    }
    for (int64_t k = 0; k < b.out_step; k += W2V_LANES) {
        vi step = load_ids(s->out_id + k), node = step >> 1;
        vi is_step = lane_numbers() < (int32_t)(b.out.n - k);
        vi is_wanted = is_step & ((step & 1) == 0);
        store(s->want + k, choose(is_wanted, splat(1.0f), (vf){}));
        store(s->weight + k, choose(is_step, splat(1.0f), (vf){}));
        memcpy(s->out_id + k, &node, sizeof node);
    }
    return b;
}

/* Ask for the steps of a centre to come, and for where those of a later one begin: their numbers
   decide branches, which wait for them. */
static void prefetch_steps(const run *r, int64_t centre)
{
    int64_t last = r->trained.end - 1;
    __builtin_prefetch(r->model->path_begin + r->s.kept_id[min64(centre + STEPS_AHEAD, last)]);
    int32_t word = r->s.kept_id[min64(centre, last)];
    const int32_t *steps = r->model->path_steps + r->model->path_begin[word];
    __builtin_prefetch(steps);
    __builtin_prefetch(steps + PREFETCH_FLOATS - 1);
}

/* Ask for the rows of a centre to come, but not for the top of the tree, which stays hot:
   its nodes have the highest numbers, and end a path that is walked from the leaf. */
static void prefetch_path(const run *r, int64_t centre)
{
    const w2v_model *m = r->model;
    int64_t last = r->trained.end - 1;
    int32_t word = r->s.kept_id[min64(centre, last)];
    for (int64_t i = m->path_begin[word + 1] - 1; i >= m->path_begin[word]; i--) {
        int32_t node = m->path_steps[i] >> 1;
        if (node >= m->n_outputs - HOT_NODES)
            break;
        ask_for_row(&r->s, m->out_rows + node * m->stride_floats);
    }
    ask_for_row(&r->s, in_place(r, min64(centre + m->window, last)));
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
