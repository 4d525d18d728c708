/* Paired outputs: each is paired with one input only, as the centre of a CBOW window or the output
   of a given pair. Each takes one dot product, where a column of the block would take one per
   input. Score and weights of input j are at paired_at() + j. */
#ifndef W2V_PAIRED_OUTPUTS_H
#define W2V_PAIRED_OUTPUTS_H

#include "step/gradient.h"

static void score_paired(const scratch *s, const block *b, int64_t n_vectors)
{
    float *scores = b->scores + paired_at(b);
    for (int64_t j = 0; j < b->in.n; j += 4) {
        vf acc[1][4] = {};
        for (int64_t v = 0; v < n_vectors * LANES; v += LANES)
            UNROLL
            for (int c = 0; c < 4; c++)
                acc[0][c] += load(b->in.row[j + c] + v) * load(s->paired_row[j + c] + v);
        sum_rows(acc, 1, scores + j, 4);
    }
}

/* Scores -> g, in place. Returns the loss if with_loss, else 0. */
INLINE double paired_gradients(const block *b, const int with_loss)
{
    vf loss = {};
    for (int64_t j = 0; j < b->in.n; j += LANES)
        gradient(b, paired_at(b) + j, paired_at(b) + j, with_loss, &loss);
    return with_loss ? (double)horizontal_sum(loss) : 0.0;
}

/* change_j = g_j y_j */
static void set_paired_changes(const scratch *s, const block *b, int64_t n_vectors)
{
    const float *g = b->scores + paired_at(b);
    for (int64_t j = 0; j < b->in.n; j++)
        set_scaled(b->in_change_row[j], g[j], s->paired_row[j], n_vectors);
}

/* y_j += g_j x_j, one by one: two inputs may have the same output. */
static void update_paired(const scratch *s, const block *b, int64_t n_vectors)
{
    const float *g = b->scores + paired_at(b);
    for (int64_t j = 0; j < b->in.n; j++)
        add_scaled(s->paired_row[j], g[j], b->in.row[j], n_vectors);
}

/* Both, for inputs that change only afterwards. */
INLINE void change_paired(const scratch *s, const block *b, int64_t n_vectors)
{
    set_paired_changes(s, b, n_vectors);
    update_paired(s, b, n_vectors);
}

static void add_input_changes(const block *b, int64_t n_vectors)
{
    for (int64_t j = 0; j < b->in.n; j++)
        add_row(b->in.row[j], b->in_change_row[j], n_vectors);
}

#endif
