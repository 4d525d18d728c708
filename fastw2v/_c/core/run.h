/* The state of one chunk's training, and the parts that collectors build blocks from. A collector
   chooses the rows and weights of a block step: collect/noise.h, collect/paths.h, collect/pairs.h.
   collect/softmax.h has its own step. */
#ifndef W2V_RUN_H
#define W2V_RUN_H

#include "core/rng.h"
#include "core/subsample.h"
#include "step/block_step.h"

/* Each pair of pointers below is for shared rows [0] and replicas [1]. */
typedef struct {
    const w2v_model *model;
    w2v_worker *worker;
    scratch s;
    span trained; /* kept tokens that are trained as centres */
    row_shape shape;
    w2v_block block;
    int64_t noise_counter; /* of the next draw of a negative sample */
    int64_t n_fresh_noise; /* negative samples drawn for each step */
    int64_t last_sync;     /* of the replicas: index of a centre */
    float *in_base[2];     /* (n_words, stride), (n_replicated_in, stride) float32 */
    float *out_base[2];    /* (n_outputs, stride), (n_replicated_out, stride) float32 */
    int64_t out_first[2];  /* the output whose row comes first in each */
    uint64_t noise_key;
    float lr;
    float sum_of_weights;  /* of the block so far, for step/in_bias.h only */
} run;

INLINE int is_frozen(const run *r, int64_t id)
{
    return r->model->frozen && r->model->frozen[id];
}

/* The input row of a kept token: the shared row, or the worker's replica. No branch, here and for
   outputs: which words are replicated cannot be predicted. */
INLINE float *local_in_row(const run *r, int64_t kept_pos)
{
    int64_t id = r->s.kept_id[kept_pos];
    if (r->worker->touched_in && !is_frozen(r, id))
        r->worker->touched_in[id] = 1;
    return r->in_base[id < r->model->n_replicated_in] + id * r->model->stride_floats;
}

/* Copy a frozen row, for a block step to change instead of the row. Each block copies it again, and
   so starts from the row itself. */
static float *copied_row(const run *r, const float *row)
{
    const scratch *s = &r->s;
    int64_t stride = r->model->stride_floats, slot = *s->next_frozen;
    *s->next_frozen = slot + 1 < s->n_frozen ? slot + 1 : 0;
    return memcpy(s->frozen + slot * stride, row, (size_t)stride * sizeof(float));
}

/* Where a block reads and changes the input row of a kept token. */
INLINE float *in_row(const run *r, int64_t kept_pos)
{
    float *row = local_in_row(r, kept_pos);
    return is_frozen(r, r->s.kept_id[kept_pos]) ? copied_row(r, row) : row;
}

INLINE float *out_row(const run *r, int64_t output)
{
    const w2v_model *m = r->model;
    if (r->worker->touched_out)
        r->worker->touched_out[output] = 1;
    int is_local = (uint64_t)(output - m->first_replicated_out) < (uint64_t)m->n_replicated_out;
    return r->out_base[is_local] + (output - r->out_first[is_local]) * m->stride_floats;
}

/* Run the body for each part of a span that is as long as a skip-gram step may be. */
#define FOR_PARTS(r, whole, part)                                                          \
    for (span part = {(whole).begin, (whole).begin}; part.begin = part.end,                \
              part.end = min64(part.end + (r)->block.contexts, (whole).end),               \
              part.begin < (whole).end;)
/* The output of a word, which comes after the inner nodes. */
INLINE int32_t word_output(const run *r, int32_t word) { return (int32_t)r->model->n_nodes + word; }

/* Count a block whose two losses have steps of their own, which do not count: the loss of both is
   measured on the same predictions. n_before: predictions before the block. */
INLINE void end_block_of_both(run *r, int64_t n_before)
{
    if (adds_losses(r->model))
        r->worker->block_number += r->worker->n_predictions > n_before;
}

/* The contexts of all centres of [begin, end). */
static span reached(const scratch *s, int64_t begin, int64_t end)
{
    span reach = {s->kept_begin[begin], s->kept_end[begin]};
    for (int64_t c = begin + 1; c < end; c++) {
        reach.begin = min64(reach.begin, s->kept_begin[c]);
        reach.end = max64(reach.end, s->kept_end[c]);
    }
    return reach;
}

/* Start a block of n_in inputs and n_out outputs; the caller sets the weights. The fields are set
   one by one, and inline: set as one value, they were stored in narrow pieces and loaded in wide
   ones, a stall that made hierarchical softmax x0.92. */
INLINE block new_block(const run *r, int64_t n_in, int64_t n_out)
{
    const scratch *s = &r->s;
    int64_t out_step = round_up(n_out, OUT_STEP);
    for (int64_t k = n_out; k < out_step; k++)
        s->out_row[k] = s->zero_row;
    for (int64_t j = n_in; j < n_in + 4; j++)
        s->in_row[j] = s->paired_row[j] = s->zero_row;
    block b;
    b.in.row = s->in_row, b.in.n = n_in;
    b.out.row = s->out_row, b.out.n = n_out, b.out_step = out_step, b.out_id = s->out_id;
    b.scores = s->scores, b.want = s->want, b.weight = s->weight;
    b.in_change_row = s->in_change_row, b.lr = r->lr;
    b.in_are_hidden = b.has_paired = b.is_path = 0;
    return b;
}

static void clear_weights(const block *b)
{
    size_t n_bytes = (size_t)(paired_at(b) + round_up(b->in.n, LANES)) * sizeof(float);
    memset(b->want, 0, n_bytes);
    memset(b->weight, 0, n_bytes);
}

static void set_output(const run *r, int64_t k, int32_t output)
{
    r->s.out_id[k] = output;
    r->s.out_row[k] = out_row(r, output);
}

#endif
