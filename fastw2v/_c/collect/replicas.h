/* Replicas of the rows that all threads would write at once: the most frequent words, and the top
   of the Huffman tree. A cache line that all threads write moves between cores at each write, which
   is what stops threads from scaling. So each worker forks its own replica of these rows and
   changes only that. A sync adds a share of the replica's change to the shared row and forks again;
   a flush is the last sync. The share is 1 for rows that change little, and less where the sum of
   all workers' changes would overshoot. Syncing a row takes 60 ns, as it moves between cores too,
   so less frequent rows are synced less often: see core/sync_rule.h. */
#ifndef W2V_REPLICAS_H
#define W2V_REPLICAS_H

#include "core/run.h"
#include "core/sync_rule.h"

/* Replicated rows of one matrix. */
typedef struct {
    float *replica;     /* (n, stride) float32, private */
    float *fork;        /* (n, stride) float32, private: the shared rows when they were forked */
    float *shared;      /* (n, stride) float32, shared, racy */
    const float *share; /* (n,) float32, fraction of a change that is added to the shared row */
    int64_t n, stride;
} replicas;

/* The n_rows most frequent input rows, which come first. */
static replicas input_replicas(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    return (replicas){r->s.in_replica, r->s.in_fork, m->in_rows, m->in_flush_share, n_rows,
                      m->stride_floats};
}

/* The n_rows most frequent output rows: the last nodes of a tree, or else the first words. */
static replicas output_replicas(const run *r, int64_t n_rows)
{
    const w2v_model *m = r->model;
    int64_t first = has_paths(m) ? m->n_replicated_out - n_rows : 0;
    int64_t at = first * m->stride_floats;
    float *shared = m->out_rows + (m->first_replicated_out + first) * m->stride_floats;
    return (replicas){r->s.out_replica + at, r->s.out_fork + at, shared,
                      m->out_flush_share + first, n_rows, m->stride_floats};
}

/* Flush the change since the fork, unless told not to, then fork again. */
INLINE void sync_row(const replicas *p, int64_t row, const int flushes)
{
    vf share = splat(p->share[row]);
    for (int64_t i = row * p->stride; i < (row + 1) * p->stride; i += LANES) {
        vf now = load(p->shared + i);
        if (flushes) {
            now += share * (load(p->replica + i) - load(p->fork + i));
            store(p->shared + i, now);
        }
        store(p->fork + i, now);
        store(p->replica + i, now);
    }
}

INLINE void sync_rows(replicas p, const int flushes)
{
    for (int64_t row = 0; row < p.n; row++)
        sync_row(&p, row, flushes);
}

/* Frozen rows are only forked: adding a change of 0 would turn -0 into 0. */
static void sync_inputs(const run *r, int64_t n_rows)
{
    replicas p = input_replicas(r, n_rows);
    for (int64_t row = 0; row < n_rows; row++)
        sync_row(&p, row, !is_frozen(r, row));
}

static void sync_outputs(const run *r, int64_t n_rows)
{
    sync_rows(output_replicas(r, n_rows), 1);
}

/* Call before the first block of a chunk. A worker keeps its replicas from chunk to chunk: forking
   and flushing them with each cost two threads up to 4 % where their cores are far apart. */
static void fork_replicas(run *r)
{
    w2v_worker *w = r->worker;
    r->last_sync = r->trained.begin - w->n_since_sync;
    if (w->has_replicas)
        return;
    sync_rows(input_replicas(r, r->model->n_replicated_in), 0);
    sync_rows(output_replicas(r, r->model->n_replicated_out), 0);
    w->has_replicas = 1;
}

/* Call after the last block of a chunk. */
static void keep_replicas(run *r)
{
    r->worker->n_since_sync = r->trained.end - r->last_sync;
}

static void flush_replicas(const w2v_model *m, w2v_worker *w)
{
    run r = {.model = m, .worker = w, .s = carve_scratch(m, 0, w->scratch)};
    if (w->has_replicas) {
        sync_inputs(&r, m->n_replicated_in);
        sync_outputs(&r, m->n_replicated_out);
    }
    w->has_replicas = w->n_syncs = w->n_since_sync = 0;
}

/* Call before each block: syncs if enough centres have passed since the last sync. */
INLINE void sync_replicas(run *r, int64_t begin)
{
    const w2v_model *m = r->model;
    if (begin - r->last_sync < m->sync_centres)
        return;
    r->last_sync = begin;
    int64_t number = ++r->worker->n_syncs;
    sync_outputs(r, n_synced(m->n_replicated_out, number));
    if (number % SYNCS_PER_INPUT_SYNC == 0)
        sync_inputs(r, n_synced(m->n_replicated_in, number / SYNCS_PER_INPUT_SYNC));
}

#endif
