/* Collectors: which rows and which weights go into a block step, mode by mode. */
#ifndef W2V_COLLECT_H
#define W2V_COLLECT_H

#include "block_step.h"
#include "rng.h"
#include "subsample.h"

enum { HOT_NODES = 512 }; /* at the top of a Huffman tree: a few hundred KB of rows, in L2 */

/* All that the training of one chunk needs at hand. */
typedef struct {
    const w2v_model *model;
    w2v_worker *worker;
    scratch s;
    centres trained;
    row_shape shape;
    int64_t noise_counter; /* of the block's first noise draw */
    uint64_t noise_key;
    float lr;
} run;

INLINE float *in_row(const run *r, int64_t kept)
{
    return r->model->in_rows + r->s.kept_id[kept] * r->model->stride_floats;
}

INLINE float *out_row(const run *r, int32_t output)
{
    return r->model->out_rows + output * r->model->stride_floats;
}

/* Kept tokens that any centre of [begin, end) has as a context. */
static centres reached(const scratch *s, int64_t begin, int64_t end)
{
    centres span = {s->kept_begin[begin], s->kept_end[begin]};
    for (int64_t c = begin + 1; c < end; c++) {
        span.begin = min64(span.begin, s->kept_begin[c]);
        span.end = max64(span.end, s->kept_end[c]);
    }
    return span;
}

/* Start a block of n_in inputs and n_out outputs; the weights are for the caller to set. */
static block new_block(const run *r, int64_t n_in, int64_t n_out)
{
    const scratch *s = &r->s;
    int64_t out_step = round_up(n_out, 4);
    for (int64_t k = n_out; k < out_step; k++)
        s->out_row[k] = s->zero_row;
    rows in = {s->in_row, n_in};
    return (block){in, in, {s->out_row, n_out}, out_step};
}

static void clear_weights(const block *b, const scratch *s)
{
    size_t n_bytes = (size_t)round_up(b->in.n * b->out_step, W2V_LANES) * sizeof(float);
    memset(s->want, 0, n_bytes);
    memset(s->weight, 0, n_bytes);
}

/* Zero the vector that the last row of weights may end in. */
static void end_weights(const block *b, const scratch *s)
{
    store_unaligned(s->want + b->in.n * b->out_step, (vf){});
    store_unaligned(s->weight + b->in.n * b->out_step, (vf){});
}

INLINE void want_pair(const scratch *s, const block *b, int64_t j, int64_t k)
{
    s->want[j * b->out_step + k] = s->weight[j * b->out_step + k] = 1.0f;
}

static void set_output(const run *r, int64_t k, int32_t output)
{
    r->s.out_id[k] = output;
    r->s.out_row[k] = out_row(r, output);
}

/* ---- negative sampling ---- */

/* Draw the noise words of a block and ask for their rows. An alias column and its 32-bit
   draw come from one 64 x 64-bit product, so the column is exactly uniform. */
static void draw_noise(run *r)
{
    const w2v_model *m = r->model;
    for (int32_t i = 0; i < m->block_noise; i++) {
        uint64_t bits = draw64(r->noise_key, (uint64_t)r->noise_counter++);
        unsigned __int128 wide = (unsigned __int128)bits * (uint64_t)m->n_words;
        int32_t column = (int32_t)(wide >> 64);
        const w2v_alias_column *noise = m->noise + column;
        int32_t word = (uint32_t)(wide >> 32) <= noise->threshold ? column : noise->alias;
        r->s.noise_id[i] = word;
        prefetch_row(out_row(r, word), m->dim);
    }
}

/* Outputs: the centres, then the noise words. Columns past the last are paired with none. */
static void set_noise_outputs(run *r, block *b, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    const w2v_model *m = r->model;
    for (int64_t k = 0; k < n_centres; k++)
        set_output(r, k, s->kept_id[begin + k]);
    for (int64_t i = 0; i < m->block_noise; i++)
        set_output(r, n_centres + i, s->noise_id[i]);
    for (int64_t k = 0; k < round_up(b->out_step, W2V_LANES); k++) {
        int is_centre = k < n_centres;
        s->column_begin[k] = is_centre ? s->kept_begin[begin + k] : INT32_MAX;
        s->column_end[k] = is_centre ? s->kept_end[begin + k] : 0;
        s->column_centre[k] = (int32_t)(begin + k);
        s->column_share[k] = is_centre || k >= b->out.n ? 0.0f
                                                        : (float)m->negative / (float)m->block_noise;
    }
}

/* A prediction meets each of the S shared noise words with weight K/S: the expected gradient
   of K noise words of its own. A noise word that is the target itself is left out, as in
   word2vec.c. */
static void drop_collisions(const run *r, const block *b, int64_t n_centres)
{
    const scratch *s = &r->s;
    float share = (float)r->model->negative / (float)r->model->block_noise;
    for (int64_t i = n_centres; i < b->out.n; i++)
        for (int64_t k = 0; k < n_centres; k++)
            if (s->out_id[i] == s->out_id[k])
                for (int64_t j = 0; j < b->in.n; j++)
                    s->weight[j * b->out_step + i] -= s->want[j * b->out_step + k] * share;
}

/* 1 if any of the block's noise words may be one of its centres; 0 is certain. */
static int may_collide(const run *r, int64_t n_centres)
{
    const int32_t *id = r->s.out_id;
    int64_t n_noise = r->model->block_noise;
    vi equal = {};
    for (int64_t i = 0; i < n_noise; i += W2V_LANES)
        for (int64_t k = 0; k < n_centres; k++)
            equal |= load_ids(id + n_centres + i) == (vi){} + id[k];
    return any_set(equal);
}

/* Weights of skip-gram, row by row and without a branch: an input is wanted by the centres
   whose range of contexts holds it, and meets the noise words once for each of them. A row's
   last vector may run into the next row, which is written after it. */
static void skipgram_weights(const run *r, const block *b, int64_t first_input)
{
    const scratch *s = &r->s;
    for (int64_t j = 0; j < b->in.n; j++) {
        vi position = (vi){} + (int32_t)(first_input + j);
        vf n_paired = splat(s->n_paired[j]);
        for (int64_t k = 0; k < b->out_step; k += W2V_LANES) {
            vi paired = load_ids(s->column_begin + k) <= position;
            paired &= load_ids(s->column_end + k) > position;
            paired &= load_ids(s->column_centre + k) != position;
            vf want = select(paired, splat(1.0f), (vf){});
            store_unaligned(s->want + j * b->out_step + k, want);
            store_unaligned(s->weight + j * b->out_step + k,
                            want + n_paired * load(s->column_share + k));
        }
    }
    end_weights(b, s);
}

/* n_paired of each input: how many centres have it as a context. */
static int64_t count_pairs(const run *r, int64_t begin, int64_t n_centres, centres reach)
{
    const scratch *s = &r->s;
    float *change = s->n_paired, covering = 0;
    int64_t n_pairs = -n_centres;
    memset(change, 0, (size_t)(reach.end - reach.begin + 1) * sizeof(float));
    for (int64_t c = begin; c < begin + n_centres; c++) {
        change[s->kept_begin[c] - reach.begin] += 1;
        change[s->kept_end[c] - reach.begin] -= 1;
        n_pairs += s->kept_end[c] - s->kept_begin[c];
    }
    for (int64_t j = 0; j < reach.end - reach.begin; j++) {
        covering += change[j];
        int64_t input = reach.begin + j;
        change[j] = covering - (float)(input >= begin && input < begin + n_centres);
    }
    return n_pairs;
}

/* Ask for the rows that only the next block needs: its centres and its furthest contexts. */
static void prefetch_next(const run *r, int64_t next)
{
    const w2v_model *m = r->model;
    int64_t last = r->trained.end;
    for (int64_t c = next; c < min64(next + m->block_centres, last); c++) {
        prefetch_row(out_row(r, r->s.kept_id[c]), m->dim);
        prefetch_row(in_row(r, min64(c + m->window, last - 1)), m->dim);
    }
}

static void noise_step(run *r, const block *b, int64_t n_centres, int64_t n_predictions)
{
    if (may_collide(r, n_centres))
        drop_collisions(r, b, n_centres);
    draw_noise(r);
    block_step(r->model, r->worker, &r->s, b, r->shape, r->lr, n_predictions);
}

static void skipgram_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    centres reach = reached(&r->s, begin, begin + n_centres);
    block b = new_block(r, reach.end - reach.begin, n_centres + r->model->block_noise);
    for (int64_t j = 0; j < b.in.n; j++)
        r->s.in_row[j] = in_row(r, reach.begin + j);
    int64_t n_predictions = count_pairs(r, begin, n_centres, reach);
    set_noise_outputs(r, &b, begin, n_centres);
    skipgram_weights(r, &b, reach.begin);
    noise_step(r, &b, n_centres, n_predictions);
}

/* ---- hierarchical softmax ---- */

/* Start a block whose outputs are the inner nodes of the centre's Huffman path; code bit 0 is
   wanted, as in word2vec.c. Every input takes every step, so all rows of weights are alike. */
static block new_path_block(run *r, int64_t centre, int64_t n_in)
{
    const w2v_model *m = r->model;
    const scratch *s = &r->s;
    int32_t word = s->kept_id[centre];
    const int32_t *steps = m->path_steps + m->path_begin[word];
    block b = new_block(r, n_in, m->path_begin[word + 1] - m->path_begin[word]);
    for (int64_t k = 0; k < b.out_step; k++) {
        int is_step = k < b.out.n;
        if (is_step)
            set_output(r, k, steps[k] >> 1);
        s->want[k] = is_step ? (float)(1 - (steps[k] & 1)) : 0.0f;
        s->weight[k] = is_step ? 1.0f : 0.0f;
    }
    size_t row_bytes = (size_t)b.out_step * sizeof(float);
    for (int64_t j = 1; j < n_in; j++) {
        memcpy(s->want + j * b.out_step, s->want, row_bytes);
        memcpy(s->weight + j * b.out_step, s->weight, row_bytes);
    }
    end_weights(&b, s);
    return b;
}

/* Ask for the rows of a centre to come, but not for the top of the tree, which stays hot:
   its nodes have the highest numbers. */
static void prefetch_path(const run *r, int64_t centre)
{
    const w2v_model *m = r->model;
    int64_t last = r->trained.end - 1;
    int32_t word = r->s.kept_id[min64(centre, last)];
    for (int64_t i = m->path_begin[word]; i < m->path_begin[word + 1]; i++)
        if ((m->path_steps[i] >> 1) < m->n_outputs - HOT_NODES)
            prefetch_row(out_row(r, m->path_steps[i] >> 1), m->dim);
    prefetch_row(in_row(r, min64(centre + m->window, last)), m->dim);
}

static void skipgram_path_block(run *r, int64_t centre)
{
    const scratch *s = &r->s;
    int64_t n_in = 0;
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            s->in_row[n_in++] = in_row(r, c);
    if (n_in == 0)
        return;
    block b = new_path_block(r, centre, n_in);
    block_step(r->model, r->worker, s, &b, r->shape, r->lr, n_in);
}

/* ---- CBOW ---- */

INLINE int64_t n_contexts(const scratch *s, int64_t centre)
{
    return s->kept_end[centre] - s->kept_begin[centre] - 1;
}

/* hidden[slot] = the mean of the centre's context rows, zero if it has none. */
static void set_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    int64_t n = 0, stride = r->model->stride_floats;
    float share = 1.0f / (float)max64(n_contexts(s, centre), 1);
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            s->context_row[n++] = in_row(r, c);
    s->in_row[slot] = s->hidden + slot * stride;
    s->in_change_row[slot] = s->hidden_change + slot * stride;
    tile t = {.target = s->in_row + slot, .n_targets = 1, .overwrite = 1};
    t.source = s->context_row, t.n_sources = n, t.factors = &share;
    add_products(&t, r->shape);
}

/* Hand the change of the mean to the context rows, divided among them (Irsoy et al. 2021,
   arXiv 2012.15332, section 2) or, as word2vec.c does, undivided. */
static void scatter_hidden(const run *r, int64_t centre, int64_t slot)
{
    const scratch *s = &r->s;
    float factor = r->model->cbow_rate;
    if (r->model->cbow_divide)
        factor /= (float)n_contexts(s, centre);
    for (int64_t c = s->kept_begin[centre]; c < s->kept_end[centre]; c++)
        if (c != centre)
            add_row(in_row(r, c), s->in_change_row[slot], factor, r->shape.n_vectors);
}

static void cbow_noise_block(run *r, int64_t begin, int64_t n_centres)
{
    const scratch *s = &r->s;
    int64_t n_predictions = 0;
    block b = new_block(r, n_centres, n_centres + r->model->block_noise);
    b.in_change.row = s->in_change_row;
    set_noise_outputs(r, &b, begin, n_centres);
    clear_weights(&b, s);
    for (int64_t k = 0; k < n_centres; k++) {
        set_hidden(r, begin + k, k);
        if (n_contexts(s, begin + k) == 0)
            continue;
        n_predictions++;
        want_pair(s, &b, k, k);
        for (int64_t i = n_centres; i < b.out.n; i++)
            s->weight[k * b.out_step + i] = s->column_share[i];
    }
    noise_step(r, &b, n_centres, n_predictions);
    for (int64_t k = 0; k < n_centres; k++)
        scatter_hidden(r, begin + k, k);
}

static void cbow_path_block(run *r, int64_t centre)
{
    if (n_contexts(&r->s, centre) == 0)
        return;
    set_hidden(r, centre, 0);
    block b = new_path_block(r, centre, 1);
    b.in_change.row = r->s.in_change_row;
    block_step(r->model, r->worker, &r->s, &b, r->shape, r->lr, 1);
    scatter_hidden(r, centre, 0);
}

#endif
