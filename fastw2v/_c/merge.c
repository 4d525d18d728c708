#include "merge.h"

#include <string.h>

enum {
    BLOCK_FLOATS = 16, /* summed at a time: one cache line */
    PART_ROWS = 64     /* consecutive rows of a part; few, as the first rows change most */
};

static int is_touched(const w2v_merge *m, int64_t row)
{
    int any = 0;
    for (int64_t c = 0; c < m->n_copies; c++)
        any |= m->touched[c][row];
    return any;
}

/* n floats of a row from `first` on: rows += gain * sum of changes, in the order of the copies. */
static void merge_block(const w2v_merge *m, int64_t row, int64_t first, int64_t n)
{
    int64_t offset = row * m->stride_floats + first;
    float *shared = m->rows + offset;
    float sum[BLOCK_FLOATS] = {0};
    for (int64_t c = 0; c < m->n_copies; c++)
        for (int64_t i = 0; m->touched[c][row] && i < n; i++)
            sum[i] += m->copies[c][offset + i] - shared[i];
    for (int64_t i = 0; i < n; i++)
        shared[i] += m->gain[row] * sum[i];
    for (int64_t c = 0; c < m->n_copies; c++)
        memcpy(m->copies[c] + offset, shared, (size_t)n * sizeof(float));
}

static void merge_row(const w2v_merge *m, int64_t row)
{
    for (int64_t first = 0; first < m->stride_floats; first += BLOCK_FLOATS) {
        int64_t left = m->stride_floats - first;
        merge_block(m, row, first, left < BLOCK_FLOATS ? left : BLOCK_FLOATS);
    }
    for (int64_t c = 0; !m->keep_marks && c < m->n_copies; c++)
        m->touched[c][row] = 0;
}

void w2v_merge_rows(const w2v_merge *m, int64_t part, int64_t n_parts)
{
    for (int64_t begin = part * PART_ROWS; begin < m->n_rows; begin += n_parts * PART_ROWS)
        for (int64_t row = begin; row < begin + PART_ROWS && row < m->n_rows; row++)
            if (is_touched(m, row))
                merge_row(m, row);
}
