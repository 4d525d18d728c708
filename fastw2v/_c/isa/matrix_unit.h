/* The block step's three products on the tile registers of AMX. Operands are rounded to bfloat16 (8
   bits of mantissa, to nearest even). Sums, and the rows they are added to, are float32: a row
   loses no bit of its value. Each side of the block is packed twice: along the dimension for the
   scores, pairwise for the updates. */
#ifndef W2V_MATRIX_UNIT_H
#define W2V_MATRIX_UNIT_H

#include "isa/tiles.h"
#include "step/paired_outputs.h"

/* Where packed chunks lie. Those along the dimension are used at once, so two slots are enough. */
INLINE char *in_along(const scratch *s, const block *b, int64_t c)
{
    return s->in_along + c % 2 * tiles_of(b->in.n) * TILE_BYTES;
}

INLINE char *out_across(const scratch *s, const block *b, int64_t c)
{
    return s->out_across + c % 2 * tiles_of(b->out_step) * TILE_BYTES;
}

INLINE char *pairwise(char *all, int64_t n, int64_t c)
{
    return all + c * pairs_of_tiles(n) * 2 * TILE_BYTES;
}

INLINE void pack_chunk(const scratch *s, const block *b, int64_t c, const int whole)
{
    _Alignas(64) char along[TILE_BYTES];
    char *pairs = pairwise(s->out_pairwise, b->out_step, c);
    for (int64_t k = 0; k < b->out_step; k += TILE) {
        char *half = pairs + (k / PAIRED * 2 * TILE + k % PAIRED / 2) * 64;
        pack_rows(b->out.row + k, TILE, c * PAIRED, whole, along, half);
        transpose_tile(along, out_across(s, b, c) + k * 64);
    }
    pack_rows(b->in.row, b->in.n, c * PAIRED, whole, in_along(s, b, c),
              pairwise(s->in_pairwise, b->in.n, c));
}

/* scores += the chunk's products. Up to 2 x 2 tiles of scores stay in registers until the last
   chunk. */
static void score_chunk(const scratch *s, const block *b, int64_t c, int is_last)
{
    int64_t n_in = tiles_of(b->in.n), n_out = tiles_of(b->out_step);
    int stays = n_in <= 2 && n_out <= 2;
    int from = c == 0 ? FROM_ZERO : stays ? FROM_REGISTERS : FROM_MEMORY;
    tile_product p = {.a_step = TILE_BYTES, .b_step = TILE_BYTES, .n_blocks = 1};
    p.c_stride = b->out_step;
    for (int64_t j = 0; j < n_in; j += 2)
        for (int64_t k = 0; k < n_out; k += 2) {
            p.a = in_along(s, b, c) + j * TILE_BYTES;
            p.b = out_across(s, b, c) + k * TILE_BYTES;
            p.c = b->scores + (j * b->out_step + k) * TILE;
            multiply_tiles(&p, n_in - j, n_out - k, from,
                           stays && !is_last ? TO_REGISTERS : TO_MEMORY);
        }
}

/* scores[j, k] = x_j . y_k, and both sides packed for the updates. A chunk is multiplied after the
   next one is packed: a tile can be loaded only when its stores have reached the cache. */
static void score_rounded(const scratch *s, const block *b, row_shape shape)
{
    int64_t n_vectors = shape.n_vectors;
    int64_t n_chunks = (n_vectors + 1) / 2;
    for (int64_t c = 0; c <= n_chunks; c++) {
        if (2 * c + 1 < n_vectors)
            pack_chunk(s, b, c, 1);
        else if (c < n_chunks)
            pack_chunk(s, b, c, 0);
        if (c > 0)
            score_chunk(s, b, c - 1, c == n_chunks);
    }
}

/* g of two inputs and 16 outputs. */
typedef struct {
    vf even, odd;
} two_gradients;

INLINE __m512i round_factors(vf low, vf high)
{
    return (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}

/* scores -> g, in place and packed: along the outputs in factors, (tile of inputs, 32 outputs),
   and along the inputs in factors_across, (tile of outputs, 32 inputs). */
static double rounded_gradients(const scratch *s, const block *b, const int with_loss)
{
    const __m512i pairing = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
                                             24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                             16, 0);
    _Alignas(64) char across[2][TILE_BYTES];
    int64_t n_in = b->in.n, out_step = b->out_step;
    int64_t in_blocks = pairs_of_tiles(n_in), out_blocks = pairs_of_tiles(out_step);
    vf loss = {};
    for (int64_t first = 0; first < n_in; first += PAIRED)
        for (int64_t k = 0; k < out_step; k += PAIRED) {
            int n_tiles = k + TILE < out_step ? 2 : 1;
            for (int64_t j = first; j < first + PAIRED; j += 2) {
                two_gradients g[2] = {};
                for (int t = 0; t < n_tiles; t++) {
                    int64_t at = j * out_step + k + t * TILE, next = at + out_step;
                    if (j < n_in)
                        g[t].even = gradient(b, at, at, with_loss, &loss);
                    if (j + 1 < n_in)
                        g[t].odd = gradient(b, next, next, with_loss, &loss);
                    __m512i pair = round_factors(g[t].even, g[t].odd);
                    _mm512_store_si512(across[t] + (j - first) * 32,
                                       _mm512_permutexvar_epi16(pairing, pair));
                }
                int64_t row = (j / TILE * out_blocks + k / PAIRED) * TILE + j % TILE;
                char *to = s->factors + row * 64;
                _mm512_store_si512(to, round_factors(g[0].even, g[1].even));
                _mm512_store_si512(to + 64, round_factors(g[0].odd, g[1].odd));
            }
            for (int t = 0; t < n_tiles; t++)
                transpose_tile(across[t], s->factors_across + ((k / TILE + t) * in_blocks +
                                                               first / PAIRED) * TILE_BYTES);
        }
    return with_loss ? (double)horizontal_sum(loss) : 0.0;
}

/* One side of the update: its rows, and the operands of their changes. */
typedef struct {
    const rows *target;
    const char *factors; /* (tiles of targets, blocks of 32 sources, TILE_BYTES) */
    char *sources;       /* packed pairwise */
    int64_t n_sources;
    float *sums[2];      /* each (16, PANEL_FLOATS), used alternately */
} update;

enum { PANEL_VECTORS = PANEL_FLOATS / TILE };

/* The part of a tile of rows that is updated at once. */
typedef struct {
    int64_t tile, first_vector, n_vectors;
} patch;

/* Patch i: all tiles of a panel, then those of the next. */
static patch patch_of(int64_t i, int64_t n_tiles, int64_t n_vectors)
{
    int64_t first = i / n_tiles * PANEL_VECTORS;
    return (patch){i % n_tiles, first, min64(PANEL_VECTORS, n_vectors - first)};
}

static void sum_patch(const update *u, patch a, float *sums)
{
    int64_t n_blocks = pairs_of_tiles(u->n_sources);
    tile_product p = {.a = u->factors + a.tile * n_blocks * TILE_BYTES, .n_blocks = n_blocks};
    p.a_next = TILE_BYTES, p.b_step = TILE_BYTES, p.b_next = 2 * TILE_BYTES;
    p.c_stride = PANEL_FLOATS;
    for (int64_t v = 0; v < a.n_vectors; v += 2) {
        p.b = pairwise(u->sources, u->n_sources, (a.first_vector + v) / 2);
        p.c = sums + v * TILE;
        multiply_tiles(&p, 1, a.n_vectors - v, FROM_ZERO, TO_MEMORY);
    }
}

/* Row by row: a row that occurs twice in the block gets both sums. */
static void add_patch(const update *u, patch a, const float *sums)
{
    int64_t n_rows = min64(u->target->n - a.tile * TILE, TILE);
    for (int64_t r = 0; r < n_rows; r++, sums += PANEL_FLOATS) {
        float *to = u->target->row[a.tile * TILE + r] + a.first_vector * TILE;
        for (int64_t v = 0; v < a.n_vectors * TILE; v += TILE)
            store(to + v, load(to + v) + load(sums + v));
    }
}

static void add_tiles(const update *u, int64_t n_vectors)
{
    int64_t n_tiles = tiles_of(u->target->n);
    int64_t n_patches = (n_vectors + PANEL_VECTORS - 1) / PANEL_VECTORS * n_tiles;
    patch last = {0};
    for (int64_t i = 0; i <= n_patches; i++) {
        patch next = patch_of(i, n_tiles, n_vectors);
        if (i < n_patches)
            sum_patch(u, next, u->sums[i % 2]);
        if (i > 0)
            add_patch(u, last, u->sums[(i - 1) % 2]);
        last = next;
    }
}

/* Both updates use the values at the start, which were packed for the scores. The sums of a patch
   are added while the tiles compute those of the next. */
static void update_rounded(const scratch *s, const block *b, int64_t n_vectors)
{
    rows in_target = {b->in_are_hidden ? b->in_change_row : b->in.row, b->in.n};
    update in = {&in_target, s->factors, s->out_pairwise, b->out_step, {s->even_sums, s->odd_sums}};
    update out = {&b->out, s->factors_across, s->in_pairwise, b->in.n, {s->even_sums, s->odd_sums}};
    if (b->has_paired)
        change_paired(s, b, n_vectors);
    add_tiles(&in, n_vectors);
    add_tiles(&out, n_vectors);
    if (b->has_paired && !b->in_are_hidden)
        add_input_changes(b, n_vectors);
}

/* Tiles pay from about 16 x 16 pairs on; 13 x 16 run as fast by vectors. Paths are never rounded:
   scratch holds the packed rows of one block, and steps of several paths are under way at once. */
static int is_rounded(const block *b) { return !b->is_path && b->in.n * b->out.n > 13 * TILE; }

#endif
