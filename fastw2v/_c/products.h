/* The two small matrix products of the block step, over rows given by pointers.
   Sums stay in registers for a whole tile: TILE_ROWS x 4 dot products, or TILE_ROWS x
   TILE_VECTORS vectors of row sums; the other side is streamed. */
#ifndef W2V_PRODUCTS_H
#define W2V_PRODUCTS_H

#include "vector.h"

enum { TILE_ROWS = 4, PREFETCH_FLOATS = W2V_CACHE_LINE / 4 };

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/* Rows of one side of a product. */
typedef struct {
    float **row; /* (n,) pointers to rows of n_vectors vectors */
    int64_t n;
} rows;

INLINE void dot_tile(float *const *x, float *const *y, const int n_rows, int64_t n_vectors,
                     float *scores, int64_t row_step)
{
    vf acc[TILE_ROWS][4] = {};
    for (int64_t v = 0; v < n_vectors * W2V_LANES; v += W2V_LANES) {
        vf yv[4];
        UNROLL
        for (int c = 0; c < 4; c++)
            yv[c] = load(y[c] + v);
        UNROLL
        for (int r = 0; r < n_rows; r++) {
            vf xv = load(x[r] + v);
            UNROLL
            for (int c = 0; c < 4; c++)
                acc[r][c] += xv * yv[c];
        }
    }
    sum_rows(acc, n_rows, scores, row_step);
}

/* scores[j, k] = x_j . y_k.  y.row holds pointers up to the next multiple of 4.
   scores: (x.n, row_step) float32, row_step a multiple of 4. */
static void dot_products(rows x, rows y, int64_t n_vectors, float *scores, int64_t row_step)
{
    for (int64_t j = 0; j < x.n; j += W2V_DOT_ROWS)
        for (int64_t k = 0; k < y.n; k += 4) {
            float *s = scores + j * row_step + k;
            switch (min64(x.n - j, W2V_DOT_ROWS)) {
#if W2V_DOT_ROWS > 2
            case 4: dot_tile(x.row + j, y.row + k, 4, n_vectors, s, row_step); break;
            case 3: dot_tile(x.row + j, y.row + k, 3, n_vectors, s, row_step); break;
#endif
            case 2: dot_tile(x.row + j, y.row + k, 2, n_vectors, s, row_step); break;
            default: dot_tile(x.row + j, y.row + k, 1, n_vectors, s, row_step);
            }
        }
}

/* Where the factor of target i and source k stands: at[i * target_step + k * source_step]. */
typedef struct {
    const float *at;
    int64_t target_step, source_step;
} factors;

INLINE void add_tile(float *const *target, rows source, factors f, int64_t offset,
                     const int n_rows, const int n_vectors)
{
    vf acc[TILE_ROWS][W2V_TILE_VECTORS] = {};
    for (int64_t k = 0; k < source.n; k++) {
        const float *src = source.row[k] + offset;
        vf factor[TILE_ROWS];
        UNROLL
        for (int r = 0; r < n_rows; r++)
            factor[r] = splat(f.at[r * f.target_step + k * f.source_step]);
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            vf s = load(src + v * W2V_LANES);
            UNROLL
            for (int r = 0; r < n_rows; r++)
                acc[r][v] += factor[r] * s;
        }
    }
    /* Row after row: one that stands twice in the tile collects both sums. */
    UNROLL
    for (int r = 0; r < n_rows; r++)
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            float *t = target[r] + offset + v * W2V_LANES;
            store(t, load(t) + acc[r][v]);
        }
}

#define ADD_TILE_CASE(vectors)                                                     \
    case vectors:                                                                  \
        switch (n_rows) {                                                          \
        case 4: add_tile(target, source, f, offset, 4, vectors); break;            \
        case 3: add_tile(target, source, f, offset, 3, vectors); break;            \
        case 2: add_tile(target, source, f, offset, 2, vectors); break;            \
        default: add_tile(target, source, f, offset, 1, vectors);                  \
        }                                                                          \
        break;

static void add_panel(float *const *target, int n_rows, rows source, factors f, int64_t offset,
                      int64_t n_vectors)
{
    switch (n_vectors) {
#if W2V_TILE_VECTORS > 4
        ADD_TILE_CASE(5)
#endif
#if W2V_TILE_VECTORS > 3
        ADD_TILE_CASE(4)
#endif
#if W2V_TILE_VECTORS > 2
        ADD_TILE_CASE(3)
#endif
        ADD_TILE_CASE(2)
        ADD_TILE_CASE(1)
    }
}

/* target_i += sum over k of factor(i, k) * source_k. The rows are cut into panels of nearly
   equal width, at most W2V_TILE_VECTORS. */
static void add_products(rows target, rows source, factors f, int64_t n_vectors)
{
    int64_t n_panels = (n_vectors + W2V_TILE_VECTORS - 1) / W2V_TILE_VECTORS;
    for (int64_t i = 0; i < target.n; i += TILE_ROWS) {
        factors tile = f;
        tile.at += i * f.target_step;
        int n_rows = (int)min64(target.n - i, TILE_ROWS);
        for (int64_t panel = 0; panel < n_panels; panel++) {
            int64_t begin = panel * n_vectors / n_panels;
            int64_t end = (panel + 1) * n_vectors / n_panels;
            add_panel(target.row + i, n_rows, source, tile, begin * W2V_LANES, end - begin);
        }
    }
}

INLINE void add_row(float *target, const float *source, float factor, int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * W2V_LANES; v += W2V_LANES)
        store(target + v, load(target + v) + factor * load(source + v));
}

INLINE void prefetch_row(const float *row, int64_t dim)
{
    for (int64_t i = 0; i < dim; i += PREFETCH_FLOATS)
        __builtin_prefetch(row + i, 1, 3);
}

#endif
