/* What a block step works on. */
#ifndef W2V_BLOCK_H
#define W2V_BLOCK_H

#include "core/scratch.h"
#include "step/products.h"

typedef struct {
    rows in;               /* x: (in.n,) rows */
    rows out;              /* y: (out.n,) rows, padded to out_step by rows of zeros */
    float *scores;         /* (in.n, out_step) s, then g; then (in.n,) of paired outputs */
    float *want;           /* likewise: p; of a path (out_step,) for all inputs */
    float *weight;         /* likewise: p + q */
    int32_t *out_id;       /* (out.n,) */
    float **in_change_row; /* (in.n,) rows for the changes of inputs */
    float lr;
    int64_t n_predictions;
    int in_are_hidden;     /* 1: x are scratch, and the step only computes their changes. These must
                              be 0 before it, unless has_paired or is_path */
    int has_paired;        /* 1: input j alone is also paired with the output paired_row[j] */
    int64_t out_step;      /* out.n rounded up to a multiple of OUT_STEP */
    int is_path;           /* 1: the outputs are a Huffman path: no row occurs twice, and all inputs
                              have the same weights */
} block;

/* Where scores and weights of paired outputs begin, after those of the matrix. */
INLINE int64_t paired_at(const block *b) { return b->in.n * b->out_step; }

#endif
