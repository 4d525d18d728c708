/* The key of a hash: random, so that nobody can choose words that collide. */
#ifndef W2V_HASH_KEY_H
#define W2V_HASH_KEY_H

#include <stdint.h>

typedef struct {
    uint64_t low, high; /* high is odd */
} w2v_hash_key;

#endif
