/* Deterministic rounds: each worker trains a copy of the rows, then the changes of all of them
   are added to the rows in the order of the workers, and every copy is made the same again. */
#ifndef W2V_MERGE_H
#define W2V_MERGE_H

#include <stdint.h>

typedef struct {
    float *rows;           /* (n_rows, stride_floats) float32, as all copies were */
    float **copies;        /* n_copies of (n_rows, stride_floats) float32 */
    uint8_t **touched;     /* n_copies of (n_rows,), 1 where a copy may have changed */
    const float *gain;     /* (n_rows,) what the sum of the changes is multiplied by */
    int64_t n_rows;
    int64_t n_copies;
    int64_t stride_floats;
    int32_t keep_marks;    /* 1: touched is another merge's too, which clears it later */
} w2v_merge;

/* Merge one of n_parts parts of the rows; several threads may merge different parts. */
void w2v_merge_rows(const w2v_merge *merge, int64_t part, int64_t n_parts);

#endif
