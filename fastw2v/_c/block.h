/* What a block step works on. */
#ifndef W2V_BLOCK_H
#define W2V_BLOCK_H

#include "products.h"
#include "scratch.h"

typedef struct {
    rows in;         /* x */
    rows in_change;  /* x itself, or scratch rows for its change alone */
    rows out;        /* y, pointers padded to out_step by rows of zeros */
    int64_t out_step; /* out.n rounded up to a multiple of W2V_OUT_STEP */
} block;

#endif
