/* Hierarchical softmax: the outputs of a centre are the inner nodes of its Huffman path
   (Mikolov et al. 2013, 1310.4546, section 2.1). */
#ifndef W2V_PATHS_H
#define W2V_PATHS_H

#include "collect/cbow.h"

enum { ROWS_AHEAD = 2, STEPS_AHEAD = 8 }; /* how many centres ahead each is prefetched */

/* Set up the block of n_in input rows and the path of a kept token, in `slot` of PATHS. Code
   bit 0 is wanted, as in word2vec.c. All inputs have the same weights, which are set by vectors: a
   branch on a code bit would be mispredicted every other time. Columns past the path hold scores of
   earlier blocks, with weight 0. */
INLINE void set_path_block(const run *r, block *b, int64_t kept_pos, float **in_row, int64_t n_in,
                           int64_t slot)
{
    const w2v_model *m = r->model;
    const scratch *s = &r->s;
    int32_t word = s->kept_id[kept_pos];
    const int32_t *steps = m->path_steps + m->path_begin[word];
    int64_t n = m->path_begin[word + 1] - m->path_begin[word], at = slot * s->path_step;
    b->in.row = in_row, b->in.n = n_in;
    b->n_predictions = adds_losses(m) ? 0 : n_in; /* counted by negative sampling */
    b->out.row = s->out_row + at, b->out.n = n;
    b->out_step = round_up(n, OUT_STEP);
    b->scores = s->scores + at, b->want = s->want + at, b->weight = s->weight + at;
    b->out_id = s->out_id + at, b->in_change_row = s->in_change_row, b->lr = r->lr;
    b->in_are_hidden = b->has_paired = 0, b->is_path = 1;
    for (int64_t k = 0; k < n; k++) {
        b->out_id[k] = steps[k];
        b->out.row[k] = out_row(r, steps[k] >> 1);
    }
    for (int64_t k = n; k < b->out_step; k++)
        b->out.row[k] = s->zero_row;
    for (int64_t k = 0; k < b->out_step; k += LANES) {
        vi step = load_ids(b->out_id + k), node = step >> 1;
        vi is_step = lane_numbers() < (int32_t)(n - k);
        vi is_wanted = is_step & ((step & 1) == 0);
        store(b->want + k, choose(is_wanted, splat(1.0f), (vf){}));
        store(b->weight + k, choose(is_step, splat(1.0f), (vf){}));
        memcpy(b->out_id + k, &node, sizeof node);
    }
}

/* Prefetch the path of a centre ahead, and path_begin of a later one: branches wait for both. */
static void prefetch_steps(const run *r, int64_t centre)
{
    int64_t last = r->trained.end - 1;
    __builtin_prefetch(r->model->path_begin + r->s.kept_id[min64(centre + STEPS_AHEAD, last)]);
    int32_t word = r->s.kept_id[min64(centre, last)];
    const int32_t *steps = r->model->path_steps + r->model->path_begin[word];
    __builtin_prefetch(steps);
    __builtin_prefetch(steps + PREFETCH_FLOATS - 1);
}

/* Prefetch the rows of the path of a centre ahead, from the leaf up to the top of the tree, whose
   rows stay in cache: those nodes have the highest ids. */
static void prefetch_path(const run *r, int64_t centre)
{
    const w2v_model *m = r->model;
    int32_t word = r->s.kept_id[min64(centre, r->trained.end - 1)];
    for (int64_t i = m->path_begin[word + 1] - 1; i >= m->path_begin[word]; i--) {
        int32_t node = m->path_steps[i] >> 1;
        if (node >= m->n_nodes - W2V_TOP_NODES)
            break;
        prefetch_row(&r->s, m->out_rows + node * m->stride_floats);
    }
}

/* Prefetch a path, and the last context of a centre. */
static void prefetch_places(const run *r, int64_t path_of, int64_t centre)
{
    prefetch_steps(r, path_of + STEPS_AHEAD);
    prefetch_path(r, path_of);
    prefetch_row(&r->s, local_in_row(r, min64(centre + r->model->max_reach, r->trained.end - 1)));
}

static void skipgram_path_block(run *r, int64_t centre)
{
    const scratch *s = &r->s;
    prefetch_places(r, centre + ROWS_AHEAD, centre + ROWS_AHEAD);
    int64_t max_in = min64(r->block.contexts, r->block.path_contexts);
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre];) {
        int64_t n_in = 0;
        for (; c < s->kept_end[centre] && n_in < max_in; c++)
            if (c != centre)
                s->in_row[n_in++] = in_row(r, c);
        if (n_in == 0)
            return;
        block b;
        set_path_block(r, &b, centre, s->in_row, n_in, 0);
        take_steps(r, &b, 1);
    }
}

/* Steps of the hidden rows of n <= PATHS centres from `begin` on; `first` is the first row. All
   scores are computed before the updates. One by one, each path would wait for the update of the
   one before, which changes the top of the tree too: x1.2. */
static void hidden_path_steps(run *r, int64_t begin, int64_t first, int64_t n)
{
    const w2v_model *m = r->model;
    const scratch *s = &r->s;
    block paths[PATHS];
    int64_t n_paths = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t k = first + i;
        prefetch_places(r, begin + i + PATHS, begin + i + r->block.centres);
        if (n_contexts(s, begin + i) == 0) {
            memset(s->in_change_row[k], 0, (size_t)m->stride_floats * sizeof(float));
            continue;
        }
        block *b = paths + n_paths;
        set_path_block(r, b, begin + i, s->in_row + k, 1, n_paths++);
        b->in_are_hidden = 1;
        b->in_change_row += k;
    }
    take_steps(r, paths, n_paths);
}

static void cbow_path_block(run *r, int64_t begin, int64_t n_centres)
{
    span reach = set_hidden_rows(r, begin, n_centres);
    for (int64_t k = 0; k < n_centres; k += PATHS)
        hidden_path_steps(r, begin + k, k, min64(PATHS, n_centres - k));
    scatter_hidden_rows(r, begin, n_centres, reach);
}

#endif
