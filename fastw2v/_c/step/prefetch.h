/* Prefetching rows before they are needed. Every row is read, then written. Where several threads
   share the rows, prefetching for a write fetches a cache line from the other core once instead of
   twice, which pays on some CPUs: see w2v_prefetch_for_write. */
#ifndef W2V_PREFETCH_H
#define W2V_PREFETCH_H

#include "core/scratch.h"
#include "step/products.h"

INLINE void prefetch_line(const prefetch_queue *q, const float *line)
{
    if (q->for_write)
        __builtin_prefetch(line, 1, 3);
    else
        __builtin_prefetch(line, 0, 2);
}

INLINE void prefetch_row(const scratch *s, const float *row)
{
    const prefetch_queue *q = s->queue;
    for (int64_t i = 0; i < q->dim; i += PREFETCH_FLOATS)
        prefetch_line(q, row + i);
}

/* Prefetch up to n of the queued rows. */
INLINE void prefetch_queued(const scratch *s, int64_t n)
{
    prefetch_queue *q = s->queue;
    for (; n > 0 && q->n > 0; n--)
        prefetch_row(s, q->row[--q->n]);
}

/* Prefetch the first line of every queued row. Done in one run, several address translations are
   under way at once; a single one holds up what follows it. 1,000,000 words: x1.08 with one thread.
   CBOW does not use it: its rows wait in the queue for a shorter time. */
INLINE void prefetch_first_lines(const scratch *s)
{
    const prefetch_queue *q = s->queue;
    for (int64_t i = 0; i < q->n; i++)
        prefetch_line(q, q->row[i]);
}

/* Prefetch a row of the next block, or queue it to be prefetched between the tiles of this block.
   Many prefetches in a row wait for the same few buffers while nothing else is done. Queueing made
   1,000,000 words x1.07 as fast; AMX has too few tiles for it. */
INLINE void prefetch_next(const scratch *s, float *row)
{
#ifdef PREFETCH_BETWEEN_TILES
    s->queue->row[s->queue->n++] = row;
#else
    prefetch_row(s, row);
#endif
}

#endif
