/* What a block step works on. */
#ifndef W2V_BLOCK_H
#define W2V_BLOCK_H

#include "core/scratch.h"
#include "step/products.h"

typedef struct {
    rows in;               /* x */
    rows out;              /* y, pointers padded to out_step by rows of zeros */
    float *scores;         /* (in.n, out_step) s, then g; and from paired_at on those of own outputs */
    float *want;           /* likewise: p; of a path one row for all inputs */
    float *weight;         /* likewise: p + q */
    int32_t *out_id;       /* (out.n,) */
    float **in_change_row; /* (in.n,) where the changes of inputs wait */
    float lr;
    int64_t n_predictions;
    int in_are_hidden; /* 1: x are scratch, and only their changes are asked for; these must be 0
                          before the step, unless has_paired or is_path */
    int has_paired;       /* 1: input j is also paired with the output paired_row[j], which no other is */
    int64_t out_step;  /* out.n rounded up to a multiple of OUT_STEP */
    int is_path; /* 1: the outputs are a Huffman path, so no row stands there twice, and all inputs
                    have the weights of the first */
} block;

/* Where scores and weights of own outputs begin, behind those of all pairs. */
INLINE int64_t paired_at(const block *b) { return b->in.n * b->out_step; }

#endif
