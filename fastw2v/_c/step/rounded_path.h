/* Both updates of a Huffman path and its inputs in one pass, as in path_update.h, by dot products
   of bfloat16 pairs: pairs of outputs for the inputs, pairs of inputs for the outputs. This halves
   the multiplications, for one rounding and one shuffle of each pair of outputs: x1.10 at dimension
   300. Scores stay float32: rounding a path for them costs what it saves. */
#ifndef W2V_ROUNDED_PATH_H
#define W2V_ROUNDED_PATH_H

#include "isa/bfloat16_step.h"
#include "step/path_update.h"

/* g in bfloat16. */
typedef struct {
    /* (inputs, W2V_MAX_ROUNDED_PATH) bfloat16 */
    _Alignas(VECTOR_BYTES) char along[W2V_MAX_PATH_INPUTS * W2V_MAX_ROUNDED_PATH * 2];
    /* (pairs of inputs, W2V_MAX_ROUNDED_PATH, 2) bfloat16 */
    _Alignas(VECTOR_BYTES) char across[W2V_MAX_PATH_INPUTS * W2V_MAX_ROUNDED_PATH * 2];
} path_factors;

INLINE int is_rounded_path(const block *b)
{
    return b->in.n > 1 && is_one_pass(b) && b->out_step <= W2V_MAX_ROUNDED_PATH;
}

static void round_path_factors(const block *b, path_factors *f)
{
    for (int64_t j = 0; j < b->in.n; j += 2)
        for (int64_t k = 0; k < b->out_step; k += LANES) {
            const float *g = b->scores + j * b->out_step + k;
            vf odd = j + 1 < b->in.n ? load(g + b->out_step) : (vf){};
            store_factors(f->along + (j * W2V_MAX_ROUNDED_PATH + k) * 2, W2V_MAX_ROUNDED_PATH * 2,
                          f->across + (j / 2 * W2V_MAX_ROUNDED_PATH + k) * 4, load(g), odd);
        }
}

/* A panel of rows under update. */
typedef struct {
    const path_factors *factors;
    float *const *out_row;
    int64_t offset;
    __m512i x[W2V_MAX_PATH_INPUTS / 2][ROW_VECTORS]; /* pairs of inputs */
    vf change[W2V_MAX_PATH_INPUTS][ROW_VECTORS];
} rounded_panel;

/* Update n outputs from k on, one or two. */
INLINE void update_path_outputs(rounded_panel *p, int64_t k, const int n, const int n_in,
                                const int width)
{
    const char *along = p->factors->along + k * 2, *across = p->factors->across + k * 4;
    vf y[2][ROW_VECTORS] = {};
    __m512i y_pairs[ROW_VECTORS];
    float *to[2];
    UNROLL
    for (int i = 0; i < n; i++) {
        to[i] = p->out_row[k + i] + p->offset;
        UNROLL
        for (int v = 0; v < width; v++)
            y[i][v] = load(to[i] + v * LANES);
    }
    UNROLL
    for (int v = 0; v < width; v++)
        y_pairs[v] = pairs_of(y[0][v], y[1][v]);
    UNROLL
    for (int j = 0; j < n_in; j++) {
        __m512i g = splat_pair(along + j * W2V_MAX_ROUNDED_PATH * 2);
        UNROLL
        for (int v = 0; v < width; v++)
            p->change[j][v] = add_dots(p->change[j][v], g, y_pairs[v]);
    }
    UNROLL
    for (int j = 0; j < n_in; j += 2)
        UNROLL
        for (int i = 0; i < n; i++) {
            __m512i g = splat_pair(across + (j / 2 * W2V_MAX_ROUNDED_PATH + i) * 4);
            UNROLL
            for (int v = 0; v < width; v++)
                y[i][v] = add_dots(y[i][v], g, p->x[j / 2][v]);
        }
    UNROLL
    for (int i = 0; i < n; i++)
        UNROLL
        for (int v = 0; v < width; v++)
            store(to[i] + v * LANES, y[i][v]);
}

INLINE void rounded_path_panel(const block *b, const path_factors *f, int64_t offset,
                               const int n_in, const int width)
{
    rounded_panel p = {.factors = f, .out_row = b->out.row, .offset = offset};
    int64_t n_out = b->out.n, k = 0;
    UNROLL
    for (int j = 0; j < n_in; j += 2)
        UNROLL
        for (int v = 0; v < width; v++) {
            int64_t at = offset + v * LANES;
            vf odd = j + 1 < n_in ? load(b->in.row[j + 1] + at) : (vf){};
            p.x[j / 2][v] = pairs_of(load(b->in.row[j] + at), odd);
        }
    for (; k + 1 < n_out; k += 2)
        update_path_outputs(&p, k, 2, n_in, width);
    if (k < n_out)
        update_path_outputs(&p, k, 1, n_in, width);
    end_path_panel(b, p.change, offset, n_in, width);
}

#define ROUNDED_PATH_PANEL(offset, width) rounded_path_panel(b, f, offset, n_in, width)

/* 32 registers hold 8 inputs in pairs, their changes and two outputs, two vectors of each. */
INLINE void update_rounded_path_of(const block *b, const path_factors *f, int64_t n_vectors,
                                   const int n_in)
{
    const int max_width = n_in <= 2 ? 4 : n_in <= 4 ? 3 : 2;
    FOR_PANELS_OF(max_width, n_vectors, ROUNDED_PATH_PANEL)
}

#define UPDATE_ROUNDED_PATH_OF(n_in) update_rounded_path_of(b, &factors, n_vectors, n_in)

static void update_rounded_path(const block *b, int64_t n_vectors)
{
    path_factors factors;
    round_path_factors(b, &factors);
    FOR_PATH_INPUTS(b, UPDATE_ROUNDED_PATH_OF)
}

#endif
