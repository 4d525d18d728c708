/* The full softmax with cross-entropy. Inputs x_j predict the target words t of their pairs:

       s_jv = x_j . y_v + b_v                       v = 0 .. n_words - 1
       loss = sum over pairs w (log sum_v exp(s_jv) - s_jt)
       g_jv = lr (sum of w over the pairs of j with target v - sum of w softmax_v(s_j))
       x_j += sum_v g_jv y_v        y_v += sum_j g_jv x_j        b_v += sum_j g_jv

   w is 1 unless given pairs have weights. An input of several pairs is scored once. The three
   products are sgemm. */
#ifndef W2V_SOFTMAX_H
#define W2V_SOFTMAX_H

#include "collect/cbow.h"

/* Copy the block's input rows, plus in_bias, into one matrix for sgemm. */
static void pack_inputs(const run *r, int64_t n_in)
{
    int64_t stride = r->model->stride_floats;
    for (int64_t j = 0; j < n_in; j++) {
        float *to = r->s.hidden + j * stride;
        copy_row(to, r->s.in_row[j], (size_t)stride * sizeof(float));
        if (r->model->in_bias)
            add_row(to, r->model->in_bias, r->shape.n_vectors);
    }
}

static void change_packed_inputs(run *r, int64_t n_in)
{
    block b = {.in = {r->s.in_row, n_in}, .in_change_row = r->s.in_change_row};
    add_input_changes(&b, r->shape.n_vectors);
    if (r->model->in_bias)
        move_in_bias(r, n_in);
}

/* scores (n_in, n_words; score_stride) = inputs . out_rows'. sgemm counts columns first. */
static void all_scores(const run *r, int64_t n_in)
{
    const w2v_model *m = r->model;
    int words = (int)m->n_words, n = (int)n_in, dim = (int)m->dim;
    int stride = (int)m->stride_floats, score_stride = (int)r->s.score_stride;
    float one = 1.0f, zero = 0.0f;
    m->sgemm("T", "N", &words, &n, &dim, &one, m->out_rows, &stride, r->s.hidden, &stride, &zero,
             r->s.scores, &score_stride);
}

/* in_change = g . out_rows, then out_rows += g' . inputs. */
static void update_by_gemm(const run *r, int64_t n_in)
{
    const w2v_model *m = r->model;
    int words = (int)m->n_words, n = (int)n_in, dim = (int)m->dim;
    int stride = (int)m->stride_floats, score_stride = (int)r->s.score_stride;
    float one = 1.0f, zero = 0.0f;
    m->sgemm("N", "N", &dim, &n, &words, &one, m->out_rows, &stride, r->s.scores, &score_stride,
             &zero, r->s.in_change, &stride);
    m->sgemm("N", "T", &dim, &words, &n, &one, r->s.hidden, &stride, r->s.scores, &score_stride,
             &one, m->out_rows, &stride);
}

/* Add the bias, and pad the row to whole vectors with scores of weight 0. Returns the largest
   score. */
static float finish_scores(const w2v_model *m, float *scores, int64_t score_stride)
{
    float top = -INFINITY;
    if (m->out_bias)
        for (int64_t v = 0; v < m->n_words; v++)
            scores[v] += load_one(m->out_bias + v);
    for (int64_t v = 0; v < m->n_words; v++)
        top = scores[v] > top ? scores[v] : top;
    for (int64_t v = m->n_words; v < score_stride; v++)
        scores[v] = -INFINITY;
    return top;
}

/* scores -> exp(scores - top). Returns their sum. */
static double exponentials(float *scores, float top, int64_t score_stride)
{
    double sum = 0;
    for (int64_t v = 0; v < score_stride; v += LANES) {
        vf e = exp_minus(at_most(top - load(scores + v), 87.0f));
        store(scores + v, e);
        sum += (double)horizontal_sum(e);
    }
    return sum;
}

static void update_all_biases(const run *r, int64_t n_in)
{
    const w2v_model *m = r->model;
    for (int64_t j = 0; j < n_in && m->out_bias; j++)
        for (int64_t v = 0; v < m->n_words; v++)
            add_to_one(m->out_bias + v, r->s.scores[j * r->s.score_stride + v]);
}

static void softmax_step(run *r, int64_t n_in, int64_t n_predictions)
{
    const w2v_model *m = r->model;
    w2v_worker *w = r->worker;
    const scratch *s = &r->s;
    int with_loss = w->block_number++ % m->loss_every == 0;
    all_scores(r, n_in);
    for (int64_t j = 0, p = 0; j < n_in; j++) {
        float *scores = s->scores + j * s->score_stride;
        float top = finish_scores(m, scores, s->score_stride);
        double target_scores = 0, paired = 0;
        int64_t first = p;
        for (; p < n_predictions && s->pair_input[p] == j; p++) {
            paired += (double)s->pair_weight[p];
            target_scores += (double)(s->pair_weight[p] * scores[s->pair_target[p]]);
        }
        double sum = exponentials(scores, top, s->score_stride);
        if (with_loss)
            w->loss_sum += paired * (log(sum) + (double)top) - target_scores;
        float factor = -r->lr * (float)paired / (float)sum;
        for (int64_t v = 0; v < s->score_stride; v += LANES)
            store(scores + v, factor * load(scores + v));
        for (int64_t q = first; q < p; q++)
            scores[s->pair_target[q]] += r->lr * s->pair_weight[q];
    }
    w->n_predictions += n_predictions;
    w->n_loss_predictions += with_loss ? n_predictions : 0;
    for (int64_t p = 0; m->in_bias && p < n_predictions; p++)
        r->sum_of_weights += 2 * s->pair_weight[p];
    update_all_biases(r, n_in);
    update_by_gemm(r, n_in);
}

/* Pairs are listed input by input. */
static void skipgram_softmax_step(run *r, int64_t begin, int64_t n_centres, span inputs)
{
    const scratch *s = &r->s;
    int64_t n_in = 0, n_predictions = 0;
    for (int64_t c = inputs.begin; c < inputs.end; c++) {
        int64_t before = n_predictions;
        for (int64_t centre = begin; centre < begin + n_centres; centre++)
            if (c != centre && s->kept_begin[centre] <= c && c < s->kept_end[centre]) {
                s->pair_input[n_predictions] = (int32_t)n_in;
                s->pair_weight[n_predictions] = 1.0f;
                s->pair_target[n_predictions++] = s->kept_id[centre];
            }
        if (n_predictions > before)
            s->in_row[n_in++] = in_row(r, c);
    }
    if (n_in == 0)
        return;
    pack_inputs(r, n_in);
    softmax_step(r, n_in, n_predictions);
    change_packed_inputs(r, n_in);
}

static void skipgram_softmax_block(run *r, int64_t begin, int64_t n_centres)
{
    span reach = reached(&r->s, begin, begin + n_centres);
    FOR_PARTS(r, reach, part)
        skipgram_softmax_step(r, begin, n_centres, part);
}

static void cbow_softmax_block(run *r, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    span reach = set_hidden_rows(r, begin, n_centres);
    int64_t n_pairs = 0;
    for (int64_t k = 0; k < n_centres; k++) {
        if (n_contexts(s, begin + k) == 0)
            continue;
        s->pair_input[n_pairs] = (int32_t)k;
        s->pair_weight[n_pairs] = 1.0f;
        s->pair_target[n_pairs++] = s->kept_id[begin + k];
    }
    if (n_pairs == 0)
        return;
    softmax_step(r, n_centres, n_pairs);
    scatter_hidden_rows(r, begin, n_centres, reach);
}

#endif
