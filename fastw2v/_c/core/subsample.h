/* Subsampling: which tokens of a chunk are kept, and the contexts of each. */
#ifndef W2V_SUBSAMPLE_H
#define W2V_SUBSAMPLE_H

#include "core/rng.h"
#include "core/scratch.h"

/* Kept tokens [begin, end), as indices into kept_id. */
typedef struct {
    int64_t begin, end;
} span;

/* The reach on a side of `size` words, drawn from 1..size by the bits, as far as a sentence goes. */
static inline int32_t reach_of(uint32_t bits, int64_t size, int32_t max_reach)
{
    int64_t drawn = size - below_wide(bits, size);
    return drawn < max_reach ? (int32_t)drawn : max_reach;
}

/* Set the contexts of a sentence's kept tokens, whose bits keep_tokens left in kept_begin. They end
   at the sentence's borders. */
static void set_contexts(const w2v_model *m, const scratch *s, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        uint32_t bits = (uint32_t)s->kept_begin[i];
        int64_t first = i - reach_of(bits, m->window_left, m->max_reach);
        int64_t past = i + reach_of(bits, m->window_right, m->max_reach) + 1;
        s->kept_begin[i] = (int32_t)(first > begin ? first : begin);
        s->kept_end[i] = (int32_t)(past < end ? past : end);
    }
}

/* How many tokens ahead thresholds are prefetched: x1.05 with 1,000,000 words. */
enum { TOKENS_AHEAD = 32 };

/* Keep each token of [from, to) with its word's probability (Mikolov et al. 2013, 1310.4546,
   section 2.3), and draw the bits of its reach on both sides. Returns the new number of kept
   tokens. */
static int64_t keep_tokens(const w2v_model *m, const w2v_chunk *c, const scratch *s,
                           int64_t from, int64_t to, int64_t n_kept)
{
    uint64_t key = stream_key(c->epoch_key, STREAM_TOKENS);
    uint32_t shrinking = m->shrink_windows ? UINT32_MAX : 0;
    for (int64_t t = from; t < to; t++) {
        int32_t id = c->word_ids[t];
        int64_t later = t + TOKENS_AHEAD < c->n_tokens ? t + TOKENS_AHEAD : t;
        __builtin_prefetch(m->keep_threshold + c->word_ids[later]);
        uint64_t bits = draw64(key, (uint64_t)(c->first_token + t));
        s->kept_id[n_kept] = id;
        s->kept_begin[n_kept] = (int32_t)((uint32_t)bits & shrinking);
        n_kept += (uint32_t)(bits >> 32) <= m->keep_threshold[id]; /* no branch to mispredict */
    }
    return n_kept;
}

/* Returns the kept tokens that are trained as centres. */
static span subsample(const w2v_model *m, const w2v_chunk *c, const scratch *s)
{
    int64_t borders[3] = {c->centre_begin, c->centre_end, c->n_tokens};
    int64_t kept_at[3] = {0, 0, 0};
    int64_t token = 0, n_kept = 0, sentence = 0, border = 0;
    for (int64_t e = 0; e < c->n_ends && token < c->n_tokens; e++) {
        int64_t end = c->sentence_ends[e] - c->first_token;
        if (end > c->n_tokens)
            end = c->n_tokens;
        while (token < end) {
            while (border < 3 && borders[border] <= token)
                kept_at[border++] = n_kept;
            int64_t stop = border < 3 && borders[border] < end ? borders[border] : end;
            n_kept = keep_tokens(m, c, s, token, stop, n_kept);
            token = stop;
        }
        set_contexts(m, s, sentence, n_kept);
        sentence = n_kept;
    }
    while (border < 3)
        kept_at[border++] = n_kept;
    return (span){kept_at[0], kept_at[1]};
}

#endif
