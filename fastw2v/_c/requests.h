/* Rows that are asked for before they are needed. Each is read and written: with several threads
   it is asked for to be written where that pays (see w2v_claims_rows), so that a line comes from
   the other core once, not once to be read and once more to be written. */
#ifndef W2V_REQUESTS_H
#define W2V_REQUESTS_H

#include "products.h"
#include "scratch.h"

INLINE void ask_for_row(const scratch *s, const float *row)
{
    const requests *q = s->requests;
    if (q->claims)
        for (int64_t i = 0; i < q->dim; i += PREFETCH_FLOATS)
            __builtin_prefetch(row + i, 1, 3);
    else
        for (int64_t i = 0; i < q->dim; i += PREFETCH_FLOATS)
            __builtin_prefetch(row + i, 0, 2);
}

INLINE void ask_for_next(const scratch *s, float *row) { ask_for_row(s, row); }

#endif
