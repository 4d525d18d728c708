/* The step of every mode but the full softmax, on n_in input rows x_j and n_out output rows y_k
   with weights p_jk (wanted) and q_jk (unwanted):

       s_jk = x_j . y_k + b_k
       g_jk = lr (p_jk (1 - sigmoid(s_jk)) - q_jk sigmoid(s_jk))
       x_j += sum_k g_jk y_k        y_k += sum_j g_jk x_j        b_k += sum_j g_jk
       loss = sum_jk p_jk softplus(-s_jk) + q_jk softplus(s_jk)

   x and y on the right are the values at the start of the step. g is minus lr times the
   gradient of the loss: d softplus(s)/ds = sigmoid(s).
   Rows are shared with other threads and updated without locks (Hogwild: Niu et al. 2011,
   arXiv 1106.5730): a lost update is rare and harmless, and a row is read again shortly before
   it is written. */
#ifndef W2V_BLOCK_STEP_H
#define W2V_BLOCK_STEP_H

#include "step/paired_outputs.h"
#include "step/path_update.h"
#include "step/prefetch.h"

/* Operands of larger blocks are rounded to bfloat16, if the CPU has instructions for it. */
#if defined(MATRIX_UNIT)
#include "isa/matrix_unit.h"
#elif defined(BFLOAT16_DOTS)
#include "step/rounded_path.h"
#else
#define is_rounded(b) 0
#define score_rounded(s, b, shape) ((void)0)
#define rounded_gradients(s, b, with_loss) ((void)(s), 0.0)
#define update_rounded(s, b, n_vectors) ((void)0)
#endif
#ifndef BFLOAT16_DOTS
#define is_rounded_path(b) 0
#define update_rounded_path(b, n_vectors) ((void)0)
#endif

/* scores -> g in place. Returns the loss if with_loss, else 0. */
INLINE double vector_gradients(const block *b, const int with_loss)
{
    vf loss = {};
    int64_t n_runs = b->is_path ? b->in.n : 1; /* of scores with the same weights */
    int64_t n_scores = b->is_path ? b->out_step : b->in.n * b->out_step;
    for (int64_t j = 0; j < n_runs; j++)
        for (int64_t i = 0; i < n_scores; i += LANES)
            gradient(b, j * n_scores + i, i, with_loss, &loss);
    return with_loss ? (double)horizontal_sum(loss) : 0.0;
}

static void add_bias_to_scores(const w2v_model *m, const scratch *s, const block *b)
{
    for (int64_t k = 0; k < b->out.n; k++)
        s->bias[k] = load_one(m->out_bias + b->out_id[k]);
    for (int64_t j = 0; j < b->in.n; j++)
        for (int64_t k = 0; k < b->out.n; k++)
            b->scores[j * b->out_step + k] += s->bias[k];
    for (int64_t j = 0; b->has_paired && j < b->in.n; j++)
        b->scores[paired_at(b) + j] += load_one(m->out_bias + s->paired_id[j]);
}

static void update_bias(const w2v_model *m, const scratch *s, const block *b)
{
    for (int64_t k = 0; k < b->out.n; k++) {
        float change = 0;
        for (int64_t j = 0; j < b->in.n; j++)
            change += b->scores[j * b->out_step + k];
        add_to_one(m->out_bias + b->out_id[k], change);
    }
    for (int64_t j = 0; b->has_paired && j < b->in.n; j++)
        add_to_one(m->out_bias + s->paired_id[j], b->scores[paired_at(b) + j]);
}

/* change_j = sum_k g_jk y_k for all inputs, in scratch, plus the changes from paired outputs. */
static void input_changes(const block *b, row_shape shape)
{
    tile t = {.source = b->out.row, .n_sources = b->out.n, .overwrite = !b->has_paired};
    t.target_step = b->out_step, t.source_step = 1;
    for (int64_t j = 0; j < b->in.n; j += TILE_ROWS) {
        t.target = b->in_change_row + j;
        t.factors = b->scores + j * b->out_step;
        t.n_targets = min64(b->in.n - j, TILE_ROWS);
        add_products(&t, shape);
    }
}

/* y_k += sum_j g_jk x_j for all outputs. */
static void update_outputs(const block *b, row_shape shape)
{
    tile t = {.source = b->in.row, .n_sources = b->in.n};
    t.target_step = 1, t.source_step = b->out_step;
    for (int64_t k = 0; k < b->out.n; k += TILE_ROWS) {
        t.target = b->out.row + k;
        t.factors = b->scores + k;
        t.n_targets = min64(b->out.n - k, TILE_ROWS);
        add_products(&t, shape);
    }
}

/* Both updates use the values at the start: the changes of x, which has fewer rows, wait in scratch
   while y is updated. */
static void update_by_vectors(const scratch *s, const block *b, row_shape shape)
{
    if (is_rounded_path(b)) {
        update_rounded_path(b, shape.n_vectors);
        return;
    }
    if (is_one_pass(b)) {
        update_path(b, shape.n_vectors);
        return;
    }
    if (b->has_paired)
        set_paired_changes(s, b, shape.n_vectors);
    input_changes(b, shape);
    update_outputs(b, shape);
    if (b->has_paired)
        update_paired(s, b, shape.n_vectors);
    if (!b->in_are_hidden)
        add_input_changes(b, shape.n_vectors);
}

static void compute_scores(const scratch *s, const block *b, row_shape shape)
{
    if (is_rounded(b))
        score_rounded(s, b, shape);
    else
        dot_products(&b->in, &b->out, shape.n_vectors, b->scores, b->out_step);
    if (b->has_paired)
        score_paired(s, b, shape.n_vectors);
}

INLINE double gradients(const scratch *s, const block *b, const int with_loss)
{
    double paired = b->has_paired ? paired_gradients(b, with_loss) : 0.0;
    if (is_rounded(b))
        return paired + rounded_gradients(s, b, with_loss);
    return paired + vector_gradients(b, with_loss);
}

static void update_rows(const scratch *s, const block *b, row_shape shape)
{
    if (is_rounded(b))
        update_rounded(s, b, shape.n_vectors);
    else
        update_by_vectors(s, b, shape);
}

/* Steps of n blocks. The scores of all use the values at the start; then the updates run one by
   one, each from the values that the previous one left. */
INLINE void block_steps(const w2v_model *m, w2v_worker *w, const scratch *s, const block *b,
                        int64_t n, row_shape shape)
{
    for (int64_t i = 0; i < n; i++) {
        compute_scores(s, b + i, shape);
        if (m->out_bias)
            add_bias_to_scores(m, s, b + i);
    }
    int with_loss = w->block_number % m->loss_every == 0;
    w->block_number += n > 0 && b->n_predictions > 0 && !adds_losses(m);
    for (int64_t i = 0; i < n; i++) {
        if (with_loss) {
            w->loss_sum += gradients(s, b + i, 1);
            w->n_loss_predictions += b[i].n_predictions;
        } else {
            gradients(s, b + i, 0);
        }
        w->n_predictions += b[i].n_predictions;
    }
    for (int64_t i = 0; i < n; i++) {
        if (m->out_bias)
            update_bias(m, s, b + i);
        update_rows(s, b + i, shape);
    }
    prefetch_queued(s, s->queue->n);
}

#endif
