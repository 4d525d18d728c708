/* The vector of a word as fastText makes it: the mean of its own row and those of its n-grams.
   Python owns all memory named here. */
#ifndef W2V_SUBWORDS_H
#define W2V_SUBWORDS_H

#include <stdint.h>

/* A matrix of fastText's: a row a word, then a row a bucket of n-grams. */
typedef struct {
    const uint8_t *rows; /* (n_words + n_buckets, dim) float32, at any address */
    int64_t n_words, n_buckets, dim;
    int64_t shortest, longest; /* of the n-grams, in characters */
} w2v_subwords;

/* Fill mean (dim,) for word `row`, whose text stands between `<` and `>` in text (n_bytes,).
   Returns how many rows went into it. */
int64_t w2v_subword_mean(const w2v_subwords *model, int64_t row, const uint8_t *text,
                         int64_t n_bytes, float *mean);

#endif
