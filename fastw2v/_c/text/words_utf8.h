/* Words of Python, one after the other, as UTF-8. */
#ifndef W2V_WORDS_UTF8_H
#define W2V_WORDS_UTF8_H

#include <stdint.h>

/* The bytes that a word of n characters takes; -1 if one is a surrogate.
   characters: (n,) of `width` bytes each, 1, 2 or 4. */
int64_t w2v_utf8_bytes(const void *characters, int width, int64_t n);

/* Write the word to `out`, which has room for it, and return its end there. */
uint8_t *w2v_write_utf8(const void *characters, int width, int64_t n, uint8_t *out);

#endif
