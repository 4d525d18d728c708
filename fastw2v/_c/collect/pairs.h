/* Given pairs: each input word predicts the output word that follows it, with a weight that
   multiplies the pair's loss. Even tokens of a chunk are inputs, odd ones outputs. */
#ifndef W2V_PAIRS_H
#define W2V_PAIRS_H

#include "collect/noise.h"
#include "collect/paths.h"
#include "collect/replicas.h"
#include "collect/softmax.h"

/* Keep the pairs of which subsampling keeps both words. kept_id holds input, output, input, ...;
   and kept_begin of an input holds the pair's index in the chunk. */
static span keep_pairs(const w2v_model *m, const w2v_chunk *c, const scratch *s)
{
    uint64_t key = stream_key(c->epoch_key, STREAM_TOKENS);
    int64_t n = 0;
    for (int64_t t = c->centre_begin; t < c->centre_end; t += 2) {
        const int32_t *pair = c->word_ids + t;
        uint64_t counter = (uint64_t)(c->first_token + t);
        s->kept_id[n] = pair[0], s->kept_id[n + 1] = pair[1];
        s->kept_begin[n] = (int32_t)(t / 2);
        int stays = (uint32_t)(draw64(key, counter) >> 32) <= m->keep_threshold[pair[0]];
        stays &= (uint32_t)(draw64(key, counter + 1) >> 32) <= m->keep_threshold[pair[1]];
        n += 2 * stays;
    }
    return (span){0, n};
}

INLINE float pair_weight(const run *r, const float *weights, int64_t kept_pos)
{
    return weights[r->s.kept_begin[kept_pos]];
}

static void prefetch_pairs(const run *r, int64_t begin)
{
    int64_t end = min64(begin + 2 * (int64_t)r->block.centres, r->trained.end);
    for (int64_t i = begin; i < end; i += 2) {
        prefetch_next(&r->s, local_in_row(r, i));
        prefetch_next(&r->s, out_row(r, word_output(r, r->s.kept_id[i + 1])));
    }
}

static void pair_noise_block(run *r, const float *weights, int64_t begin, int64_t n)
{
    block b = new_block(r, n, r->block.noise);
    b.has_paired = 1;
    set_noise_outputs(r, 0, 0);
    clear_weights(&b);
    for (int64_t k = 0; k < n; k++) {
        int64_t pair = begin + 2 * k;
        r->s.in_row[k] = in_row(r, pair);
        set_paired_output(r, &b, k, r->s.kept_id[pair + 1], pair_weight(r, weights, pair));
    }
    noise_step(r, &b, n, 0);
}

static void pair_path_block(run *r, const float *weights, int64_t pair)
{
    const scratch *s = &r->s;
    float w = pair_weight(r, weights, pair);
    block b;
    prefetch_steps(r, pair + 1 + 2 * ROWS_AHEAD + STEPS_AHEAD);
    prefetch_path(r, pair + 1 + 2 * ROWS_AHEAD);
    prefetch_row(s, local_in_row(r, min64(pair + 2 * ROWS_AHEAD, r->trained.end - 2)));
    s->in_row[0] = in_row(r, pair);
    set_path_block(r, &b, pair + 1, s->in_row, 1, 0);
    for (int64_t k = 0; k < b.out.n; k++) {
        b.want[k] *= w;
        b.weight[k] *= w;
    }
    take_steps(r, &b, 1);
}

static void pair_softmax_block(run *r, const float *weights, int64_t begin, int64_t n)
{
    const scratch *s = &r->s;
    for (int64_t k = 0; k < n; k++) {
        s->in_row[k] = in_row(r, begin + 2 * k);
        s->pair_input[k] = (int32_t)k;
        s->pair_target[k] = s->kept_id[begin + 2 * k + 1];
        s->pair_weight[k] = pair_weight(r, weights, begin + 2 * k);
    }
    pack_inputs(r, n);
    softmax_step(r, n, n);
    change_packed_inputs(r, n);
}

static void train_pairs(run *r, const float *weights)
{
    int by_noise = draws_noise(r->model), by_path = has_paths(r->model);
    int64_t size = by_path && !by_noise ? 1 : r->block.centres;
    if (by_noise)
        draw_first_noise(r);
    for (int64_t begin = 0; begin < r->trained.end; begin += 2 * size) {
        int64_t n = min64(size, (r->trained.end - begin) / 2), n_before = r->worker->n_predictions;
        sync_replicas(r, begin);
        if (by_noise) {
            prefetch_pairs(r, begin + 2 * size);
            pair_noise_block(r, weights, begin, n);
        }
        for (int64_t k = 0; by_path && k < n; k++)
            pair_path_block(r, weights, begin + 2 * k);
        if (!by_noise && !by_path)
            pair_softmax_block(r, weights, begin, n);
        end_block_of_both(r, n_before);
    }
}

#endif
