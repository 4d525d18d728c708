/* Raw text to tokens: lower case, split, and without what is no word.
   Text of this form is then counted and encoded by tokens.h. */
#ifndef W2V_TOKENIZE_H
#define W2V_TOKENIZE_H

#include <stdint.h>

/* The rules.  words: Unicode letters, marks and numbers, with apostrophes between them.
   simple: gensim's simple_preprocess. */
enum { W2V_WORDS = 1, W2V_SIMPLE = 2 };

typedef struct {
    int32_t rule;
    int32_t without_accents;  /* the rest is for W2V_SIMPLE */
    int64_t min_len, max_len; /* characters of a token that is kept */
} w2v_tokenizer;

/* Room for the tokens of n_bytes: lower case may need three bytes for two, and eight are written at
   a time. */
#define W2V_TOKENIZED_BYTES(n_bytes) ((n_bytes) + (n_bytes) / 2 + 16)

/* Write the tokens of a text, each with a space or a newline after it, and its newlines.  Bytes that are not
   UTF-8 separate tokens.  A text that begins and ends at white space gives what it gives as part of
   a longer one.  Returns the bytes written to `out`, (W2V_TOKENIZED_BYTES(n_bytes),). */
int64_t w2v_tokenize(const w2v_tokenizer *how, const uint8_t *text, int64_t n_bytes, uint8_t *out);

#endif
