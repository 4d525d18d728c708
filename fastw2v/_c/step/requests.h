/* Rows that are asked for before they are needed. Each is read and written: with several threads
   it is asked for to be written where that pays (see w2v_claims_rows), so that a line comes from
   the other core once, not once to be read and once more to be written. */
#ifndef W2V_REQUESTS_H
#define W2V_REQUESTS_H

#include "core/scratch.h"
#include "step/products.h"

INLINE void ask_for_line(const requests *q, const float *line)
{
    if (q->claims)
        __builtin_prefetch(line, 1, 3);
    else
        __builtin_prefetch(line, 0, 2);
}

INLINE void ask_for_row(const scratch *s, const float *row)
{
    const requests *q = s->requests;
    for (int64_t i = 0; i < q->dim; i += PREFETCH_FLOATS)
        ask_for_line(q, row + i);
}

/* Ask for n of the rows put off. */
INLINE void ask_for_some(const scratch *s, int64_t n)
{
    requests *q = s->requests;
    for (; n > 0 && q->n > 0; n--)
        ask_for_row(s, q->row[--q->n]);
}

/* Ask for the first lines of all rows put off, one right after the other: so, it seems, several of
   their addresses are translated at a time, where one alone holds up what comes after it. Of
   1,000,000 words x1.08 with one thread, x1.04 with two, but x1.00 if all are as frequent; CBOW,
   whose rows are put off for less, x0.94. */
INLINE void ask_for_first_lines(const scratch *s)
{
    const requests *q = s->requests;
    for (int64_t i = 0; i < q->n; i++)
        ask_for_line(q, q->row[i]);
}

/* A row of the next block: asked for at once, or between the tiles of this block. One after the
   other they wait for the same few buffers and nothing else is done meanwhile; between tiles they
   cost x0.86 with AMX, whose tiles are few, but rows of 1,000,000 words came x1.07 as fast. */
INLINE void ask_for_next(const scratch *s, float *row)
{
#ifdef ASKS_BETWEEN_TILES
    s->requests->row[s->requests->n++] = row;
#else
    ask_for_row(s, row);
#endif
}

#endif
