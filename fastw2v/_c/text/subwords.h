/* The vector of a word as fastText makes it: the mean of its own row and those of its n-grams.
   Python owns all memory named here. */
#ifndef W2V_SUBWORDS_H
#define W2V_SUBWORDS_H

#include <stdint.h>

/* A matrix of fastText's: a row for each word, then a row for each bucket of n-grams. */
typedef struct {
    const uint8_t *rows; /* (n_words + n_buckets, dim) float32, at any address */
    int64_t n_words, n_buckets, dim;
    int64_t shortest, longest; /* of the n-grams, in characters */
} w2v_subwords;

/* Fill mean (dim,) for word `row`. text: (n_bytes,), the word between `<` and `>`. Returns how many
   rows the mean is of. */
int64_t w2v_subword_mean(const w2v_subwords *model, int64_t row, const uint8_t *text,
                         int64_t n_bytes, float *mean);

#endif
