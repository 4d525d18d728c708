/* The bias of the input side: one vector b that is added to every input row. A block's inputs are
   x_j + b, and a hidden row of CBOW is the mean or the sum of x_i + b over its contexts. Adding b
   to all rows and setting it to 0 gives the same model: see ModelArrays.fold_in_bias.

       b += s sum_j n_j change_j        s = min(1, in_bias_limit / (lr sum_jk (p_jk + q_jk)))

   The sums run over a block. n_j is how many times input j contains b: n in a sum of n rows, else
   1. The full softmax has no p and q; twice the weights of its pairs count instead. */
#ifndef W2V_IN_BIAS_H
#define W2V_IN_BIAS_H

#include "core/run.h"

static float sum_of_weights(const block *b)
{
    int64_t n = b->is_path ? b->out.n : paired_at(b) + (b->has_paired ? b->in.n : 0);
    float sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += b->weight[i];
    return b->is_path ? sum * (float)b->in.n : sum;
}

/* Call last for a block of n_in inputs. Sums their changes in the row of the first. */
static void move_in_bias(run *r, int64_t n_in)
{
    const w2v_model *m = r->model;
    float *const *change = r->s.in_change_row;
    for (int64_t j = 1; j < n_in; j++)
        add_row(change[0], change[j], r->shape.n_vectors);
    float share = m->in_bias_limit / (r->lr * r->sum_of_weights);
    add_scaled(m->in_bias, share < 1 ? share : 1, change[0], r->shape.n_vectors);
    r->sum_of_weights = 0;
}

/* Let n blocks of skip-gram work on copies x_j + b, while context_row keeps the rows. The hidden
   rows of CBOW contain b already. */
static void begin_biased_steps(run *r, block *b, int64_t n)
{
    const scratch *s = &r->s;
    size_t row_bytes = (size_t)r->model->stride_floats * sizeof(float);
    for (int64_t i = 0; i < n; i++)
        r->sum_of_weights += sum_of_weights(b + i);
    if (r->model->is_cbow)
        return;
    for (int64_t j = 0; j < b->in.n; j++) {
        s->context_row[j] = s->in_row[j];
        s->in_row[j] = copy_row(s->hidden + j * r->model->stride_floats, s->in_row[j], row_bytes);
        add_row(s->in_row[j], r->model->in_bias, r->shape.n_vectors);
    }
    memset(s->in_change, 0, (size_t)b->in.n * row_bytes);
    b->in_are_hidden = 1;
}

/* CBOW does the same in scatter_hidden_rows. */
static void end_biased_steps(run *r, const block *b)
{
    if (r->model->is_cbow)
        return;
    block inputs = {.in = {r->s.context_row, b->in.n}, .in_change_row = r->s.in_change_row};
    add_input_changes(&inputs, r->shape.n_vectors);
    move_in_bias(r, b->in.n);
}

/* block_steps() with the bias of the input side, if there is one. */
INLINE void take_steps(run *r, block *b, int64_t n)
{
    if (r->model->in_bias)
        begin_biased_steps(r, b, n);
    block_steps(r->model, r->worker, &r->s, b, n, r->shape);
    if (r->model->in_bias)
        end_biased_steps(r, b);
}

#endif
