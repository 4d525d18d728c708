/* Both updates of a Huffman path and its inputs in one pass. No row occurs twice among the outputs:
   each is read once, then written, while the changes of the inputs stay in registers. Up to x1.18
   against two passes and a third that adds the inputs' changes. */
#ifndef W2V_PATH_UPDATE_H
#define W2V_PATH_UPDATE_H

#include "step/block.h"

/* Several hidden inputs take two passes too. */
INLINE int is_one_pass(const block *b)
{
    return b->is_path && b->in.n <= W2V_MAX_PATH_INPUTS && (b->in.n == 1 || !b->in_are_hidden);
}

/* A panel of x_j += change_j, row by row: a word that occurs twice in the window gets both changes.
   A hidden input is the only one, and only its change is stored: testing in_are_hidden for several
   inputs as well was x0.98. */
INLINE void end_path_panel(const block *b, vf change[][ROW_VECTORS], int64_t offset,
                           const int n_in, const int width)
{
    int is_hidden = n_in == 1 && b->in_are_hidden;
    UNROLL
    for (int j = 0; j < n_in; j++) {
        float *to = (is_hidden ? b->in_change_row[j] : b->in.row[j]) + offset;
        UNROLL
        for (int v = 0; v < width; v++) {
            vf before = is_hidden ? (vf){} : load(to + v * LANES);
            store(to + v * LANES, before + change[j][v]);
        }
    }
}

/* A panel of x_j += sum_k g_jk y_k and y_k += sum_j g_jk x_j, from the values at the start. */
INLINE void path_panel(const block *b, int64_t offset, const int n_in, const int width)
{
    vf x[W2V_MAX_PATH_INPUTS][ROW_VECTORS], change[W2V_MAX_PATH_INPUTS][ROW_VECTORS] = {};
    float *const *out_row = b->out.row;
    const float *factors = b->scores;
    int64_t n_out = b->out.n, out_step = b->out_step;
    UNROLL
    for (int j = 0; j < n_in; j++)
        UNROLL
        for (int v = 0; v < width; v++)
            x[j][v] = load(b->in.row[j] + offset + v * LANES);
    for (int64_t k = 0; k < n_out; k++) {
        float *to = out_row[k] + offset;
        vf y[ROW_VECTORS], sum[ROW_VECTORS];
        UNROLL
        for (int v = 0; v < width; v++)
            sum[v] = y[v] = load(to + v * LANES);
        UNROLL
        for (int j = 0; j < n_in; j++) {
            vf g = splat(factors[j * out_step + k]);
            UNROLL
            for (int v = 0; v < width; v++) {
                change[j][v] += g * y[v];
                sum[v] += g * x[j][v];
            }
        }
        UNROLL
        for (int v = 0; v < width; v++)
            store(to + v * LANES, sum[v]);
    }
    end_path_panel(b, change, offset, n_in, width);
}

#define PATH_PANEL(offset, width) path_panel(b, offset, n_in, width)

/* As wide as the registers allow: 32 hold 6 inputs and their changes, two vectors of each. */
INLINE void update_path_of(const block *b, int64_t n_vectors, const int n_in)
{
    const int max_width = n_in == 1 ? ROW_VECTORS : LANES == 16 && n_in <= 6 ? 2 : 1;
    FOR_PANELS_OF(max_width, n_vectors, PATH_PANEL)
}

/* Run update(n) for the n inputs of a block; n is a constant where update expands. */
#define FOR_PATH_INPUTS(b, update)                                \
    switch ((b)->in.n) {                                          \
    case 1: update(1); break;                                     \
    case 2: update(2); break;                                     \
    case 3: update(3); break;                                     \
    case 4: update(4); break;                                     \
    case 5: update(5); break;                                     \
    case 6: update(6); break;                                     \
    case 7: update(7); break;                                     \
    case 8: update(8); break;                                     \
    case 9: update(9); break;                                     \
    case W2V_MAX_PATH_INPUTS: update(W2V_MAX_PATH_INPUTS); break; \
    }

#define UPDATE_PATH_OF(n_in) update_path_of(b, n_vectors, n_in)

static void update_path(const block *b, int64_t n_vectors) { FOR_PATH_INPUTS(b, UPDATE_PATH_OF) }

#endif
