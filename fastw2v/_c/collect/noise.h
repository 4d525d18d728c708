/* Negative sampling: blocks of consecutive centres that share negative samples (Mikolov et al.
   2013, 1310.4546, section 2.2). Each sample serves `reuse` consecutive blocks: it still follows
   the noise distribution, and its row stays in cache from block to block. A CBOW block takes
   interleaved steps, neighbouring centres in different ones, each step with its own negative
   samples. The windows of neighbours overlap; with the same few samples for all of them, the errors
   would add up in a context. Six steps of 8 samples score a point of analogies more than one step
   of 16. */
#ifndef W2V_NOISE_H
#define W2V_NOISE_H

#include "collect/cbow.h"

/* Begin the draws of n negative samples. One 64 x 64-bit product gives a column of the alias table,
   exactly uniform, and the 32 bits to compare with its threshold. Columns are prefetched, as the
   table of a large vocabulary is in memory: x1.05 with 1,000,000 words. */
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

/* End these draws: the n samples replace a step's oldest ones, and their rows are prefetched. There
   is no branch on the draw, which cannot be predicted. */
static void end_draws(run *r, int64_t n, int64_t step)
{
    const w2v_model *m = r->model;
    int32_t *noise_id = r->s.noise_id + step * r->block.noise;
    int64_t oldest = r->s.oldest_noise[step];
    for (int64_t i = 0; i < n; i++) {
        int32_t column = r->s.noise_column[i];
        const w2v_alias_column *noise = m->noise + column;
        int32_t is_column = r->s.noise_bits[i] <= noise->threshold;
        int32_t word = noise->alias ^ ((noise->alias ^ column) & -is_column);
        noise_id[oldest] = word_output(r, word);
        prefetch_next(&r->s, out_row(r, noise_id[oldest]));
        oldest = oldest + 1 < r->block.noise ? oldest + 1 : 0;
    }
    r->s.oldest_noise[step] = oldest;
}

/* Draw the negative samples of the first block, and begin the draws of the next ones. */
static void draw_first_noise(run *r)
{
    for (int64_t step = 0; step < r->block.interleaved_steps; step++) {
        begin_draws(r, r->block.noise);
        end_draws(r, r->block.noise, step);
    }
    begin_draws(r, r->n_fresh_noise);
}

static float noise_share(const run *r)
{
    return (float)r->model->negative / (float)r->block.noise;
}

/* Put the negative samples of a step in the columns from `first` on. */
static void set_noise_outputs(run *r, int64_t first, int64_t step)
{
    const int32_t *noise_id = r->s.noise_id + step * r->block.noise;
    for (int64_t i = 0; i < r->block.noise; i++)
        set_output(r, first + i, noise_id[i]);
}

/* Outputs: the centres, then the negative samples. Columns past the last have no weight. */
static void set_centre_outputs(run *r, const block *b, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    float share = noise_share(r);
    for (int64_t k = 0; k < n_centres; k++)
        set_output(r, k, word_output(r, s->kept_id[begin + k]));
    set_noise_outputs(r, n_centres, 0);
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
    for (int64_t k = 0; k < n; k += LANES)
        equal |= (load_ids(id + k) == word) & (lane_numbers() < (int32_t)(n - k));
    return any_set(equal);
}

/* Drop the negative sample in column i for the inputs that want column k, or for the input that
   wants paired output k. */
static void drop_collision(const run *r, const block *b, int64_t i, int64_t k)
{
    float share = noise_share(r);
    if (b->has_paired)
        b->weight[k * b->out_step + i] -= b->want[paired_at(b) + k] * share;
    for (int64_t j = 0; !b->has_paired && j < b->in.n; j++)
        b->weight[j * b->out_step + i] -= b->want[j * b->out_step + k] * share;
}

/* A prediction meets each of the S shared negative samples with weight K/S, which gives the
   expected gradient of K samples drawn for it alone. A sample that is the target is dropped, as in
   word2vec.c. */
static void drop_collisions(const run *r, const block *b)
{
    const scratch *s = &r->s;
    int64_t first_noise = b->out.n - r->block.noise;
    const int32_t *target = b->has_paired ? s->paired_id : b->out_id;
    int64_t n_targets = b->has_paired ? b->in.n : first_noise;
    for (int64_t i = first_noise; i < b->out.n; i++) {
        if (!is_among(target, n_targets, b->out_id[i]))
            continue;
        for (int64_t k = 0; k < n_targets; k++)
            if (target[k] == b->out_id[i])
                drop_collision(r, b, i, k);
    }
}

/* Input k wants the output of a word, and meets the negative samples, with weight w. */
static void set_paired_output(run *r, const block *b, int64_t k, int32_t word, float w)
{
    const scratch *s = &r->s;
    int32_t output = word_output(r, word);
    s->paired_id[k] = output;
    s->paired_row[k] = out_row(r, output);
    b->want[paired_at(b) + k] = b->weight[paired_at(b) + k] = w;
    float share = w * noise_share(r);
    for (int64_t i = 0; i < b->out.n; i++)
        b->weight[k * b->out_step + i] = share;
}

/* Weights of skip-gram, without a branch: an input wants the centres that have it as a context, and
   meets the negative samples once for each of them. */
static void skipgram_weights(const run *r, const block *b, int64_t first_input)
{
    const scratch *s = &r->s;
    const float *n_paired = s->n_paired;
    int64_t n_in = b->in.n, out_step = b->out_step;
    for (int64_t k = 0; k < out_step; k += LANES) {
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

/* Count the centres that have each input as a context, in n_paired. Returns the sum. */
static int64_t count_pairs(const run *r, int64_t begin, int64_t n_centres, span inputs)
{
    const scratch *s = &r->s;
    int64_t n_pairs = 0;
    for (int64_t c = begin; c < begin + n_centres; c++)
        n_pairs += max64(min64(s->kept_end[c], inputs.end) -
                             max64(s->kept_begin[c], inputs.begin), 0) -
                   (inputs.begin <= c && c < inputs.end);
    for (int64_t j = inputs.begin; j < inputs.end; j += LANES) {
        vi input = lane_numbers() + (int32_t)j, n_paired = {};
        for (int64_t c = begin; c < begin + n_centres; c++)
            n_paired -= (input >= s->kept_begin[c]) & (input < s->kept_end[c]) &
                        (input != (int32_t)c);
        store_unaligned(s->n_paired + (j - inputs.begin), __builtin_convertvector(n_paired, vf));
    }
    return n_pairs;
}

/* Prefetch the output rows of every n-th centre of [begin, end). */
static void prefetch_centres(const run *r, int64_t begin, int64_t end, int64_t n)
{
    for (int64_t c = begin; c < end; c += n)
        prefetch_next(&r->s, out_row(r, word_output(r, r->s.kept_id[c])));
}

/* Prefetch the last context of each centre of [begin, end); the others were prefetched before. */
static void prefetch_contexts(const run *r, int64_t begin, int64_t end)
{
    for (int64_t c = begin; c < end; c++)
        prefetch_next(&r->s, local_in_row(r, min64(c + r->model->max_reach, r->trained.end - 1)));
}

static int64_t end_of_block(const run *r, int64_t begin)
{
    return min64(begin + r->block.centres, r->trained.end);
}

/* Take one step of a block, and draw the negative samples of the next. */
static void noise_step(run *r, block *b, int64_t n_predictions, int64_t step)
{
    drop_collisions(r, b);
    end_draws(r, r->n_fresh_noise, step);
    begin_draws(r, r->n_fresh_noise);
    if (!r->model->is_cbow)
        prefetch_first_lines(&r->s);
    b->n_predictions = n_predictions;
    take_steps(r, b, 1);
}

static void skipgram_noise_step(run *r, int64_t begin, int64_t n_centres, span inputs)
{
    block b = new_block(r, inputs.end - inputs.begin, n_centres + r->block.noise);
    for (int64_t j = 0; j < b.in.n; j++)
        r->s.in_row[j] = in_row(r, inputs.begin + j);
    int64_t n_predictions = count_pairs(r, begin, n_centres, inputs);
    set_centre_outputs(r, &b, begin, n_centres);
    skipgram_weights(r, &b, inputs.begin);
    noise_step(r, &b, n_predictions, 0);
}

/* One step, or as many as the contexts need. */
static void skipgram_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    int64_t next = begin + n_centres;
    prefetch_centres(r, next, end_of_block(r, next), 1);
    prefetch_contexts(r, next, end_of_block(r, next));
    span reach = reached(&r->s, begin, next);
    FOR_PARTS(r, reach, part)
        skipgram_noise_step(r, begin, n_centres, part);
}

/* Prefetch what the next step needs, which may be the first of the next block. */
static void prefetch_next_step(const run *r, int64_t begin, int64_t n_centres, int64_t step)
{
    int64_t n_steps = r->block.interleaved_steps, next = begin + n_centres;
    if (step + 1 < min64(n_steps, n_centres)) {
        prefetch_centres(r, begin + step + 1, next, n_steps);
        return;
    }
    prefetch_contexts(r, next, end_of_block(r, next));
    prefetch_centres(r, next, end_of_block(r, next), n_steps);
}

/* The step of the block's centres step, step + n_steps, step + 2 n_steps, ... */
static void cbow_noise_step(run *r, int64_t begin, int64_t n_centres, int64_t step)
{
    const scratch *s = &r->s;
    int64_t n_steps = r->block.interleaved_steps, stride = r->model->stride_floats;
    int64_t n = (n_centres - step + n_steps - 1) / n_steps, n_predictions = 0;
    block b = new_block(r, n, r->block.noise);
    b.in_are_hidden = b.has_paired = 1;
    b.in_change_row = s->step_change_row;
    set_noise_outputs(r, 0, step);
    clear_weights(&b);
    for (int64_t j = 0; j < n; j++) {
        int64_t k = step + j * n_steps;
        int is_predicted = n_contexts(s, begin + k) > 0;
        s->in_row[j] = s->hidden + k * stride;
        s->step_change_row[j] = s->in_change_row[k];
        set_paired_output(r, &b, j, s->kept_id[begin + k], (float)is_predicted);
        n_predictions += is_predicted;
    }
    prefetch_next_step(r, begin, n_centres, step);
    noise_step(r, &b, n_predictions, step);
}

static void cbow_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    span reach = set_hidden_rows(r, begin, n_centres);
    for (int64_t step = 0; step < min64(r->block.interleaved_steps, n_centres); step++)
        cbow_noise_step(r, begin, n_centres, step);
    scatter_hidden_rows(r, begin, n_centres, reach);
}

#endif
