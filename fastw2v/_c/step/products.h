/* The two small matrix products of the block step, over rows given by pointers. The sums of a tile
   stay in registers: DOT_ROWS x 4 dot products, or TILE_ROWS x TILE_VECTORS vectors of row sums.
   The other side is streamed. */
#ifndef W2V_PRODUCTS_H
#define W2V_PRODUCTS_H

#include "core/scratch.h"
#include "isa/vector.h"

enum { PREFETCH_FLOATS = W2V_CACHE_LINE / 4 };

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

/* Rows of one side of a product. */
typedef struct {
    float **row; /* (n,) pointers to rows of n_vectors vectors */
    int64_t n;
} rows;

INLINE void dot_tile(float *const *x, float *const *y, const int n_rows, int64_t n_vectors,
                     float *scores, int64_t row_step)
{
    vf acc[DOT_ROWS][4] = {};
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES) {
        vf xv[DOT_ROWS];
        UNROLL
        for (int r = 0; r < n_rows; r++)
            xv[r] = load(x[r] + v);
        UNROLL
        for (int c = 0; c < 4; c++) {
            vf yv = load(y[c] + v);
            UNROLL
            for (int r = 0; r < n_rows; r++)
                acc[r][c] += xv[r] * yv;
        }
    }
    sum_rows(acc, n_rows, scores, row_step);
}

/* dot_tile for one x and n_groups * 4 columns. */
INLINE void dot_row(const float *x, float *const *y, const int n_groups, int64_t n_vectors,
                    float *scores)
{
    vf acc[2][4] = {};
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES) {
        vf xv = load(x + v);
        UNROLL
        for (int g = 0; g < n_groups; g++)
            UNROLL
            for (int c = 0; c < 4; c++)
                acc[g][c] += xv * load(y[4 * g + c] + v);
    }
    sum_rows(acc, n_groups, scores, 4);
}

static void dot_products_of_row(const float *x, const rows *y, int64_t n_vectors, float *scores)
{
    for (int64_t k = 0; k < y->n; k += 8)
        if (y->n - k > 4)
            dot_row(x, y->row + k, 2, n_vectors, scores + k);
        else
            dot_row(x, y->row + k, 1, n_vectors, scores + k);
}

/* scores[j, k] = x_j . y_k.  y.row holds pointers up to the next multiple of 4.
   scores: (x.n, row_step) float32, row_step a multiple of 4. */
static void dot_products(const rows *x, const rows *y, int64_t n_vectors, float *scores,
                         int64_t row_step)
{
    int64_t j = 0;
    for (; j + 1 < x->n; j += DOT_ROWS)
        for (int64_t k = 0; k < y->n; k += 4) {
            float *s = scores + j * row_step + k;
            switch (min64(x->n - j, DOT_ROWS)) {
#if DOT_ROWS > 3
            case 4: dot_tile(x->row + j, y->row + k, 4, n_vectors, s, row_step); break;
#endif
#if DOT_ROWS > 2
            case 3: dot_tile(x->row + j, y->row + k, 3, n_vectors, s, row_step); break;
#endif
            default: dot_tile(x->row + j, y->row + k, 2, n_vectors, s, row_step);
            }
        }
    if (j < x->n)
        dot_products_of_row(x->row[j], y, n_vectors, scores + j * row_step);
}

/* How rows are cut into panels of nearly equal width, at most TILE_VECTORS. */
typedef struct {
    int64_t n_vectors;
    int64_t panel_vectors;
    int64_t dim; /* floats of a row that are used */
} row_shape;

/* The width of the panels that rows are cut into. */
INLINE int64_t panel_width(int64_t n_vectors, int64_t max_width)
{
    int64_t n_panels = (n_vectors + max_width - 1) / max_width;
    return (n_vectors + n_panels - 1) / n_panels;
}

INLINE row_shape shape_of_rows(int64_t dim)
{
    int64_t n_vectors = (dim + LANES - 1) / LANES;
    return (row_shape){n_vectors, panel_width(n_vectors, TILE_VECTORS), dim};
}

/* One tile of row sums: target_i (+)= sum over k of factor(i, k) * source_k, where
   factor(i, k) = factors[i * target_step + k * source_step]. */
typedef struct {
    float *const *target; /* (n_targets,) */
    float *const *source; /* (n_sources,) */
    const float *factors;
    int64_t n_targets; /* <= TILE_ROWS */
    int64_t n_sources;
    int64_t target_step, source_step;
    int overwrite; /* 1: the sums replace what the targets held */
} tile;

/* The fields of the tile are read before anything is stored: after a store, which might change
   them, the compiler reads them again. Up to x1.06. */
INLINE void add_tile(const tile *t, int64_t offset, const int n_targets, const int n_vectors)
{
    vf acc[TILE_ROWS][TILE_VECTORS] = {};
    const float *factors = t->factors;
    float *const *sources = t->source, *target[TILE_ROWS];
    int64_t n_sources = t->n_sources, target_step = t->target_step, source_step = t->source_step;
    int overwrite = t->overwrite;
    UNROLL
    for (int r = 0; r < n_targets; r++)
        target[r] = t->target[r] + offset;
    for (int64_t k = 0; k < n_sources; k++, factors += source_step) {
        const float *source = sources[k] + offset;
        vf factor[TILE_ROWS];
        UNROLL
        for (int r = 0; r < n_targets; r++)
            factor[r] = splat(factors[r * target_step]);
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            vf s = load(source + v * LANES);
            UNROLL
            for (int r = 0; r < n_targets; r++)
                acc[r][v] += factor[r] * s;
        }
    }
    /* Row by row: a row that occurs twice in the tile gets both sums. */
    UNROLL
    for (int r = 0; r < n_targets; r++)
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            if (!overwrite)
                acc[r][v] += load(target[r] + v * LANES);
            store(target[r] + v * LANES, acc[r][v]);
        }
}

#if TILE_ROWS > 3
#define FOUR_ROWS_CASE(n_vectors) case 4: add_tile(t, offset, 4, n_vectors); break;
#else
#define FOUR_ROWS_CASE(n_vectors)
#endif
#define ADD_TILE_CASE(n_vectors)                                                   \
    case n_vectors:                                                                \
        switch (t->n_targets) {                                                    \
            FOUR_ROWS_CASE(n_vectors)                                              \
        case 3: add_tile(t, offset, 3, n_vectors); break;                          \
        case 2: add_tile(t, offset, 2, n_vectors); break;                          \
        default: add_tile(t, offset, 1, n_vectors);                                \
        }                                                                          \
        break;

static void add_panel(const tile *t, int64_t offset, int64_t n_vectors)
{
    switch (n_vectors) {
#if TILE_VECTORS > 4
        ADD_TILE_CASE(5)
#endif
#if TILE_VECTORS > 3
        ADD_TILE_CASE(4)
#endif
#if TILE_VECTORS > 2
        ADD_TILE_CASE(3)
#endif
        ADD_TILE_CASE(2)
        ADD_TILE_CASE(1)
    }
}

/* The tile's sums over whole rows. The tile is passed by pointer: by value it went through the
   stack in halves, and reloading it stalled longer than the arithmetic of a panel takes. */
static void add_products(const tile *t, row_shape shape)
{
    for (int64_t v = 0; v < shape.n_vectors; v += shape.panel_vectors)
        add_panel(t, v * LANES, min64(shape.panel_vectors, shape.n_vectors - v));
}

/* Run do_panel(offset, width) for each panel of rows of n_vectors. max_width is a constant <=
   ROW_VECTORS; width is a constant where do_panel expands. */
#define PANEL_CASE(max_width, do_panel, width) \
    case width: if (width <= (max_width)) do_panel(v * LANES, width); break;
#if ROW_VECTORS > 4
#define WIDE_PANEL_CASES(max_width, do_panel) \
    PANEL_CASE(max_width, do_panel, 5)        \
    PANEL_CASE(max_width, do_panel, 6)        \
    PANEL_CASE(max_width, do_panel, 7)        \
    PANEL_CASE(max_width, do_panel, 8)
#else
#define WIDE_PANEL_CASES(max_width, do_panel)
#endif
#define FOR_PANELS_OF(max_width, n_vectors, do_panel)                                           \
    for (int64_t v = 0, width = panel_width(n_vectors, max_width); v < (n_vectors); v += width) \
        switch (min64(width, (n_vectors) - v)) {                                                \
            PANEL_CASE(max_width, do_panel, 1)                                                  \
            PANEL_CASE(max_width, do_panel, 2)                                                  \
            PANEL_CASE(max_width, do_panel, 3)                                                  \
            PANEL_CASE(max_width, do_panel, 4)                                                  \
            WIDE_PANEL_CASES(max_width, do_panel)                                               \
        }
#define FOR_PANELS(n_vectors, do_panel) FOR_PANELS_OF(ROW_VECTORS, n_vectors, do_panel)

INLINE void set_scaled(float *target, float factor, const float *source, int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES)
        store(target + v, factor * load(source + v));
}

INLINE void add_scaled(float *target, float factor, const float *source, int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES)
        store(target + v, load(target + v) + factor * load(source + v));
}

INLINE void add_row(float *target, const float *source, int64_t n_vectors)
{
    for (int64_t v = 0; v < n_vectors * LANES; v += LANES)
        store(target + v, load(target + v) + load(source + v));
}

#endif
