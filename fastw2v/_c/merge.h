/* Deterministic rounds: each worker trains a copy of the rows. Then the changes of all copies are
   added to the rows, in the order of the workers, and every copy is set to the result. */
#ifndef W2V_MERGE_H
#define W2V_MERGE_H

#include <stdint.h>

typedef struct {
    float *rows;           /* (n_rows, stride_floats) float32, the values all copies started from */
    float **copies;        /* (n_copies,) of (n_rows, stride_floats) float32 */
    uint8_t **touched;     /* (n_copies,) of (n_rows,), 1 where a copy may have changed */
    const float *gain;     /* (n_rows,) float32, multiplies the sum of the changes */
    int64_t n_rows;
    int64_t n_copies;
    int64_t stride_floats;
    int32_t keep_marks;    /* 1: leave touched to another merge, which clears it */
} w2v_merge;

/* Merge one of n_parts parts of the rows. Several threads may merge different parts at once. */
void w2v_merge_rows(const w2v_merge *merge, int64_t part, int64_t n_parts);

#endif
