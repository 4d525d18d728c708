/* Negative sampling: blocks of consecutive centres that share noise words
   (Mikolov et al. 2013, 1310.4546, section 2.2). Each noise word serves noise_reuse blocks in a
   row: it still follows the noise distribution, and its row need not come from afar each time. */
#ifndef W2V_NOISE_H
#define W2V_NOISE_H

#include "cbow.h"

/* Begin the draws of n noise words: a column of the alias table and the 32 bits to be held against
   its threshold come from one 64 x 64-bit product, so the column is exactly uniform. Columns are
   asked for, as the table of a large vocabulary is in memory: 1,000,000 words of dimension 300
   x1.05. */
static void begin_draws(run *r, int64_t n)
{
    const w2v_model *m = r->model;
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = draw64(r->noise_key, (uint64_t)r->noise_counter++);
        unsigned __int128 wide = (unsigned __int128)bits * (uint64_t)m->n_words;
        r->s.noise_column[i] = (int32_t)(wide >> 64);
        r->s.noise_bits[i] = (uint32_t)(wide >> 32);
        __builtin_prefetch(m->noise + r->s.noise_column[i]);
    }
}

/* Put the n noise words begun in place of the oldest ones, ask for their rows, and begin those
   of the next block. Without a branch on the draw, which cannot be predicted. */
static void end_draws(run *r, int64_t n)
{
    const w2v_model *m = r->model;
    for (int64_t i = 0; i < n; i++) {
        int32_t column = r->s.noise_column[i];
        const w2v_alias_column *noise = m->noise + column;
        int32_t is_column = r->s.noise_bits[i] <= noise->threshold;
        int32_t word = noise->alias ^ ((noise->alias ^ column) & -is_column);
        r->s.noise_id[r->oldest_noise] = word;
        r->oldest_noise = r->oldest_noise + 1 < m->block_noise ? r->oldest_noise + 1 : 0;
        ask_for_next(&r->s, out_row(r, word));
    }
    begin_draws(r, r->n_fresh_noise);
}

/* The noise words of the first block. */
static void draw_first_noise(run *r)
{
    begin_draws(r, r->model->block_noise);
    end_draws(r, r->model->block_noise);
}

static float noise_share(const w2v_model *m)
{
    return (float)m->negative / (float)m->block_noise;
}

/* The noise words, in the columns from first on. */
static void set_noise_outputs(run *r, int64_t first)
{
    for (int64_t i = 0; i < r->model->block_noise; i++)
        set_output(r, first + i, r->s.noise_id[i]);
}

/* Outputs: the centres, then the noise words. Columns past the last are paired with none. */
static void set_centre_outputs(run *r, const block *b, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    float share = noise_share(r->model);
    for (int64_t k = 0; k < n_centres; k++)
        set_output(r, k, s->kept_id[begin + k]);
    set_noise_outputs(r, n_centres);
    for (int64_t k = 0; k < b->out_step; k++) {
        int is_centre = k < n_centres;
        s->column_begin[k] = is_centre ? s->kept_begin[begin + k] : INT32_MAX;
        s->column_end[k] = is_centre ? s->kept_end[begin + k] : 0;
        s->column_centre[k] = (int32_t)(begin + k);
        s->column_share[k] = is_centre || k >= b->out.n ? 0.0f : share;
    }
}

/* 1 if the word is one of n. */
INLINE int is_among(const int32_t *id, int64_t n, int32_t word)
{
    vi equal = {};
    for (int64_t k = 0; k < n; k += W2V_LANES)
        equal |= (load_ids(id + k) == word) & (lane_numbers() < (int32_t)(n - k));
    return any_set(equal);
}

/* Leave the noise word in column i out for those inputs that want column k, or its own output. */
static void drop_collision(const run *r, const block *b, int64_t i, int64_t k)
{
    float share = noise_share(r->model);
    if (b->has_own)
        b->weight[k * b->out_step + i] -= b->want[own_at(b) + k] * share;
    for (int64_t j = 0; !b->has_own && j < b->in.n; j++)
        b->weight[j * b->out_step + i] -= b->want[j * b->out_step + k] * share;
}

/* A prediction meets each of the S shared noise words with weight K/S: the expected gradient
   of K noise words of its own. A noise word that is the target itself is left out, as in
   word2vec.c. */
static void drop_collisions(const run *r, const block *b)
{
    const scratch *s = &r->s;
    int64_t first_noise = b->out.n - r->model->block_noise;
    const int32_t *target = b->has_own ? s->own_id : b->out_id;
    int64_t n_targets = b->has_own ? b->in.n : first_noise;
    for (int64_t i = first_noise; i < b->out.n; i++) {
        if (!is_among(target, n_targets, b->out_id[i]))
            continue;
        for (int64_t k = 0; k < n_targets; k++)
            if (target[k] == b->out_id[i])
                drop_collision(r, b, i, k);
    }
}

/* Input k wants its own output, and meets the noise words, with weight w. */
static void set_own_output(run *r, const block *b, int64_t k, int32_t output, float w)
{
    const scratch *s = &r->s;
    s->own_id[k] = output;
    s->own_row[k] = out_row(r, output);
    b->want[own_at(b) + k] = b->weight[own_at(b) + k] = w;
    float share = w * noise_share(r->model);
    for (int64_t i = 0; i < b->out.n; i++)
        b->weight[k * b->out_step + i] = share;
}

/* Weights of skip-gram, without a branch: an input is wanted by the centres whose range of contexts
   holds it, and meets the noise words once for each of them. */
static void skipgram_weights(const run *r, const block *b, int64_t first_input)
{
    const scratch *s = &r->s;
    const float *n_paired = s->n_paired;
    int64_t n_in = b->in.n, out_step = b->out_step;
    for (int64_t k = 0; k < out_step; k += W2V_LANES) {
        vi begin = load_ids(s->column_begin + k), end = load_ids(s->column_end + k);
        vi centre = load_ids(s->column_centre + k), position = (vi){} + (int32_t)first_input;
        vf share = load(s->column_share + k);
        float *wants = b->want + k, *weights = b->weight + k;
        for (int64_t j = 0; j < n_in; j++, position += 1) {
            vi paired = (begin <= position) & (end > position) & (centre != position);
            vf want = choose(paired, splat(1.0f), (vf){});
            store(wants + j * out_step, want);
            store(weights + j * out_step, want + n_paired[j] * share);
        }
    }
}

/* n_paired of each input: how many centres have it as a context. */
static int64_t count_pairs(const run *r, int64_t begin, int64_t n_centres, centres reach)
{
    const scratch *s = &r->s;
    int64_t n_pairs = 0;
    for (int64_t c = begin; c < begin + n_centres; c++)
        n_pairs += n_contexts(s, c);
    for (int64_t j = reach.begin; j < reach.end; j += W2V_LANES) {
        vi input = lane_numbers() + (int32_t)j, n_paired = {};
        for (int64_t c = begin; c < begin + n_centres; c++)
            n_paired -= (input >= s->kept_begin[c]) & (input < s->kept_end[c]) & (input != (int32_t)c);
        store_unaligned(s->n_paired + (j - reach.begin), __builtin_convertvector(n_paired, vf));
    }
    return n_pairs;
}

/* Ask for the rows that only the next block needs: its centres and its furthest contexts. */
static void prefetch_next(const run *r, int64_t next)
{
    const w2v_model *m = r->model;
    int64_t last = r->trained.end;
    for (int64_t c = next; c < min64(next + m->block_centres, last); c++) {
        ask_for_next(&r->s, out_row(r, r->s.kept_id[c]));
        ask_for_next(&r->s, in_place(r, min64(c + m->window, last - 1)));
    }
}

static void noise_step(run *r, block *b, int64_t n_predictions)
{
    drop_collisions(r, b);
    end_draws(r, r->n_fresh_noise);
    b->n_predictions = n_predictions;
    block_steps(r->model, r->worker, &r->s, b, 1, r->shape);
}

static void skipgram_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    centres reach = reached(&r->s, begin, begin + n_centres);
    block b = new_block(r, reach.end - reach.begin, n_centres + r->model->block_noise);
    for (int64_t j = 0; j < b.in.n; j++)
        r->s.in_row[j] = in_row(r, reach.begin + j);
    int64_t n_predictions = count_pairs(r, begin, n_centres, reach);
    set_centre_outputs(r, &b, begin, n_centres);
    skipgram_weights(r, &b, reach.begin);
    noise_step(r, &b, n_predictions);
}

static void cbow_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    int64_t n_predictions = 0;
    block b = new_block(r, n_centres, r->model->block_noise);
    b.in_are_hidden = b.has_own = 1;
    set_noise_outputs(r, 0);
    clear_weights(&b);
    centres reach = set_hidden_rows(r, begin, n_centres);
    for (int64_t k = 0; k < n_centres; k++) {
        int is_predicted = n_contexts(s, begin + k) > 0;
        set_own_output(r, &b, k, s->kept_id[begin + k], (float)is_predicted);
        n_predictions += is_predicted;
    }
    noise_step(r, &b, n_predictions);
    scatter_hidden_rows(r, begin, n_centres, reach);
}

#endif
