/* The kernel of one instruction set: trains one chunk. Each isa/kernel_*.c compiles it once. */
#ifndef W2V_KERNEL_H
#define W2V_KERNEL_H

#include "collect/noise.h"
#include "collect/pairs.h"
#include "collect/paths.h"
#include "collect/replicas.h"
#include "collect/softmax.h"
#include "core/api.h"

/* Run the body for each block [begin, begin + n_centres) of the trained tokens. */
#define FOR_BLOCKS(r, step)                                                        \
    for (int64_t begin = (r)->trained.begin, end = (r)->trained.end, n_centres;    \
         n_centres = min64((step), end - begin), begin < end; begin += n_centres)

static void noise_block(run *r, int64_t begin, int64_t n_centres)
{
    if (r->model->is_cbow)
        cbow_noise_block(r, begin, n_centres);
    else
        skipgram_noise_block(r, begin, n_centres);
}

static void path_block(run *r, int64_t begin, int64_t n_centres)
{
    if (r->model->is_cbow)
        cbow_path_block(r, begin, n_centres);
    else
        for (int64_t centre = begin; centre < begin + n_centres; centre++)
            skipgram_path_block(r, centre);
}

/* Negative sampling, hierarchical softmax, or both: then each block takes the steps of the one loss
   and then those of the other. word2vec.c adds both gradients of an input first. Their expected
   sum is the same, and no row moves further at once than by one loss alone. */
static void train_sigmoids(run *r)
{
    const w2v_model *m = r->model;
    int by_noise = draws_noise(m), by_path = has_paths(m);
    if (by_noise)
        draw_first_noise(r);
    FOR_BLOCKS(r, by_noise || m->is_cbow ? r->block.centres : 1)
    {
        int64_t n_before = r->worker->n_predictions;
        sync_replicas(r, begin);
        if (by_noise)
            noise_block(r, begin, n_centres);
        if (by_path)
            path_block(r, begin, n_centres);
        end_block_of_both(r, n_before);
    }
}

static void train_softmax(run *r)
{
    FOR_BLOCKS(r, r->block.centres)
    {
        if (r->model->is_cbow)
            cbow_softmax_block(r, begin, n_centres);
        else
            skipgram_softmax_block(r, begin, n_centres);
    }
}

/* The loss is measured on the same blocks for any number of threads: with a sample per thread, the
   loss of an epoch of 5 MB differed by up to 1 %. An epoch's first block is always measured. */
static int64_t first_block_number(const w2v_model *m, const w2v_chunk *c)
{
    uint64_t first_centre = (uint64_t)(c->first_token + c->centre_begin);
    uint64_t key = stream_key(c->epoch_key, STREAM_LOSS);
    return first_centre == 0 ? 0 : (int64_t)(draw64(key, first_centre) % (uint64_t)m->loss_every);
}

static run start_run(const w2v_model *m, w2v_worker *w, const w2v_chunk *c)
{
    run r = {.model = m, .worker = w, .lr = c->lr};
    r.s = carve_scratch(m, c->n_tokens, w->scratch);
    r.shape = shape_of_rows(m->dim);
    r.block = c->block;
    r.noise_key = draw64(stream_key(c->epoch_key, STREAM_NOISE),
                         (uint64_t)(c->first_token + c->centre_begin));
    r.n_fresh_noise = ((int64_t)c->block.noise + c->block.reuse - 1) / c->block.reuse;
    r.trained = c->pair_weights ? keep_pairs(m, c, &r.s) : subsample(m, c, &r.s);
    r.in_base[0] = m->in_rows, r.in_base[1] = r.s.in_replica;
    r.out_base[0] = m->out_rows, r.out_base[1] = r.s.out_replica;
    r.out_first[1] = m->first_replicated_out;
    w->block_number = first_block_number(m, c);
    memset(r.s.oldest_noise, 0, (size_t)c->block.interleaved_steps * sizeof(int64_t));
    memset(r.s.zero_row, 0, (size_t)m->stride_floats * sizeof(float));
    for (int64_t j = 0; j < r.s.max_in; j++)
        r.s.in_change_row[j] = r.s.in_change + j * m->stride_floats;
    return r;
}

/* Add a chunk's tokens to what the worker has done, and let others read it. No other thread writes
   these counters, so plain reads are enough here. */
static void publish_counters(w2v_worker *w, int64_t n_trained, int64_t n_tokens)
{
    w2v_counters *done = &w->done;
    __atomic_store_n(&done->n_trained, done->n_trained + n_trained, __ATOMIC_RELAXED);
    __atomic_store_n(&done->n_subsampled, done->n_subsampled + n_tokens - n_trained,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&done->n_predictions, w->n_predictions, __ATOMIC_RELAXED);
    __atomic_store_n(&done->n_loss_predictions, w->n_loss_predictions, __ATOMIC_RELAXED);
    __atomic_store(&done->loss_sum, &w->loss_sum, __ATOMIC_RELAXED);
}

static int64_t train_chunk(const w2v_model *m, w2v_worker *w, const w2v_chunk *c)
{
    run r = start_run(m, w, c);
#ifdef MATRIX_UNIT
    begin_tiles();
#endif
    fork_replicas(&r);
    if (c->pair_weights)
        train_pairs(&r, c->pair_weights);
    else if (m->objective == W2V_SOFTMAX)
        train_softmax(&r);
    else
        train_sigmoids(&r);
    keep_replicas(&r);
#ifdef MATRIX_UNIT
    end_tiles();
#endif
    int64_t n_trained = r.trained.end - r.trained.begin;
    publish_counters(w, n_trained, c->centre_end - c->centre_begin);
    return n_trained;
}

const w2v_backend BACKEND = {BACKEND_NAME, train_chunk, flush_replicas};

#endif
