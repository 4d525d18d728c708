/* The block step's three products on the tile registers of AMX. Operands are rounded to bfloat16
   (8 bits of mantissa, to nearest even), products are summed in float32, and so are the rows
   they are added to: of a row's own value no bit is lost.

   A tile product adds A (16 x 32) times B (32 x 16) to C (16 x 16). A holds rows as they are; B
   holds pairs of its rows interleaved, (b[2p][n], b[2p + 1][n]) for n = 0..15. So each side of
   the block is packed twice: along the dimension for the scores, pairwise for the updates. */
#ifndef W2V_MATRIX_UNIT_H
#define W2V_MATRIX_UNIT_H

#include <immintrin.h>

#include "block.h"

enum { TILE = 16, PAIRED = 2 * TILE, TILE_BYTES = TILE * 64 };

/* All eight tile registers: 16 rows of 64 bytes. */
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t n_rows[16];
} TILE_CONFIG = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

static void begin_tiles(void) { _tile_loadconfig(&TILE_CONFIG); }

static void end_tiles(void) { _tile_release(); }

/* The headers of GCC do not say that a tile load reads memory: what was packed must be stored. */
INLINE void finish_stores(void) { __asm__ volatile("" ::: "memory"); }

INLINE int64_t tiles_of(int64_t n) { return (n + TILE - 1) / TILE; }
INLINE int64_t pairs_of_tiles(int64_t n) { return (n + PAIRED - 1) / PAIRED; }

/* 32 floats in bfloat16: eight groups of four, those of the two vectors in turn, which is the
   order that makes the two halves of an unpacked pair of rows one vector each. */
INLINE __m512i round_two(vf low, vf high)
{
    const __m512i in_turn = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    return _mm512_permutexvar_epi64(in_turn, both);
}

INLINE __m512i round_chunk(const float *row, int64_t v, int64_t n_vectors)
{
    return round_two(load(row + v * TILE), v + 1 < n_vectors ? load(row + (v + 1) * TILE) : (vf){});
}

/* Pack a pair of rows of a tile along the dimension (chunk of 32 floats, row) and pairwise
   (vector, pair of rows). */
INLINE void pack_pair(const float *even, const float *odd, int64_t n_vectors, char *along,
                      char *pairwise)
{
    for (int64_t v = 0; v < n_vectors; v += 2, along += TILE_BYTES, pairwise += 2 * TILE_BYTES) {
        __m512i first = round_chunk(even, v, n_vectors), second = round_chunk(odd, v, n_vectors);
        _mm512_store_si512(along, first);
        _mm512_store_si512(along + 64, second);
        _mm512_store_si512(pairwise, _mm512_unpacklo_epi16(first, second));
        _mm512_store_si512(pairwise + TILE_BYTES, _mm512_unpackhi_epi16(first, second));
    }
}

/* Pack tile t of n rows, rounded up to pairs. */
static void pack_tile(const rows *x, int64_t t, int64_t n, int64_t n_vectors, char *along, char *pairwise)
{
    char *p = pairwise + (t / 2 * ((n_vectors + 1) / 2 * 2) * TILE + t % 2 * TILE / 2) * 64;
    float *const *row = x->row + t * TILE;
    for (int64_t j = 0; j < n; j += 2)
        pack_pair(row[j], row[j + 1], n_vectors, along + j * 64, p + j * 32);
}

/* Lane q of the result: the 16 bytes at from + 256 q, i.e. of rows r, r + 4, r + 8, r + 12. */
INLINE __m512i quarter_rows(const char *from)
{
    __m512i v = _mm512_castsi128_si512(_mm_load_si128((const __m128i *)from));
    v = _mm512_inserti32x4(v, _mm_load_si128((const __m128i *)(from + 256)), 1);
    v = _mm512_inserti32x4(v, _mm_load_si128((const __m128i *)(from + 512)), 2);
    return _mm512_inserti32x4(v, _mm_load_si128((const __m128i *)(from + 768)), 3);
}

/* Transpose a tile of 16 x 16 pairs. */
INLINE void transpose_tile(const char *from, char *to)
{
    UNROLL
    for (int i = 0; i < 4; i++, from += 16, to += 256) {
        __m512i r0 = quarter_rows(from), r1 = quarter_rows(from + 64);
        __m512i r2 = quarter_rows(from + 128), r3 = quarter_rows(from + 192);
        __m512i low01 = _mm512_unpacklo_epi32(r0, r1), high01 = _mm512_unpackhi_epi32(r0, r1);
        __m512i low23 = _mm512_unpacklo_epi32(r2, r3), high23 = _mm512_unpackhi_epi32(r2, r3);
        _mm512_store_si512(to, _mm512_unpacklo_epi64(low01, low23));
        _mm512_store_si512(to + 64, _mm512_unpackhi_epi64(low01, low23));
        _mm512_store_si512(to + 128, _mm512_unpacklo_epi64(high01, high23));
        _mm512_store_si512(to + 192, _mm512_unpackhi_epi64(high01, high23));
    }
}

/* scores of up to 2 x 2 tiles; a and b point to their chunks, b's transposed. */
INLINE void score_tiles(const char *a, const char *b, int64_t n_chunks, float *scores,
                        int64_t row_step, const int n_in, const int n_out)
{
    int64_t next = n_chunks * TILE_BYTES;
    finish_stores();
    _tile_zero(0);
    if (n_out > 1) { _tile_zero(1); }
    if (n_in > 1) { _tile_zero(2); }
    if (n_in > 1 && n_out > 1) { _tile_zero(3); }
    for (int64_t c = 0; c < n_chunks; c++, a += TILE_BYTES, b += TILE_BYTES) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (n_out > 1) {
            _tile_loadd(7, b + next, 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (n_in > 1) {
            _tile_loadd(5, a + next, 64);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (n_in > 1 && n_out > 1) { _tile_dpbf16ps(3, 5, 7); }
    }
    float *below = scores + TILE * row_step;
    _tile_stored(0, scores, row_step * 4);
    if (n_out > 1) { _tile_stored(1, scores + TILE, row_step * 4); }
    if (n_in > 1) { _tile_stored(2, below, row_step * 4); }
    if (n_in > 1 && n_out > 1) { _tile_stored(3, below + TILE, row_step * 4); }
}

/* scores[j, k] = x_j . y_k, and both sides packed for the updates. */
static void score_by_tiles(const scratch *s, const block *b, int64_t n_vectors)
{
    int64_t n_chunks = (n_vectors + 1) / 2, n_in = tiles_of(b->in.n), n_out = tiles_of(b->out.n);
    char *to = s->out_across;
    for (int64_t k = 0; k < n_out; k++) {
        pack_tile(&b->out, k, TILE, n_vectors, s->tiles, s->out_pairwise);
        for (int64_t c = 0; c < n_chunks; c++, to += TILE_BYTES)
            transpose_tile(s->tiles + c * TILE_BYTES, to);
    }
    for (int64_t j = 0; j < n_in; j++)
        pack_tile(&b->in, j, min64(b->in.n - j * TILE, TILE), n_vectors,
                  s->in_along + j * n_chunks * TILE_BYTES, s->in_pairwise);
    for (int64_t k = 0; k < n_out; k += 2)
        for (int64_t j = 0; j < n_in; j += 2) {
            const char *along = s->in_along + j * n_chunks * TILE_BYTES;
            const char *across = s->out_across + k * n_chunks * TILE_BYTES;
            float *scores = s->scores + j * TILE * b->out_step + k * TILE;
            switch (min64(n_in - j, 2) * 2 + min64(n_out - k, 2)) {
            case 6: score_tiles(along, across, n_chunks, scores, b->out_step, 2, 2); break;
            case 5: score_tiles(along, across, n_chunks, scores, b->out_step, 2, 1); break;
            case 4: score_tiles(along, across, n_chunks, scores, b->out_step, 1, 2); break;
            default: score_tiles(along, across, n_chunks, scores, b->out_step, 1, 1);
            }
        }
}

/* g in bfloat16: (tile of inputs, 32 outputs, input). */
static void pack_factors(const scratch *s, int64_t n_in, int64_t out_step)
{
    int64_t n_blocks = pairs_of_tiles(out_step);
    for (int64_t j = 0; j < n_in; j++) {
        const float *g = s->scores + j * out_step;
        char *to = s->factors + (j / TILE * n_blocks * TILE + j % TILE) * 64;
        for (int64_t k = 0; k < out_step; k += PAIRED, to += TILE_BYTES) {
            vf high = k + TILE < out_step ? load(g + k + TILE) : (vf){};
            _mm512_store_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)load(g + k)));
        }
    }
}

/* g transposed: (tile of outputs, 32 inputs, output). */
static void pack_factors_across(const scratch *s, int64_t n_in, int64_t out_step)
{
    const __m512i in_turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
                                             24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                             16, 0);
    char *to = s->factors_across;
    for (int64_t k = 0; k < out_step; k += TILE)
        for (int64_t first = 0; first < n_in; first += PAIRED, to += TILE_BYTES) {
            for (int64_t p = 0; p < TILE; p++) {
                int64_t j = first + 2 * p;
                const float *g = s->scores + j * out_step + k;
                vf even = j < n_in ? load(g) : (vf){};
                vf odd = j + 1 < n_in ? load(g + out_step) : (vf){};
                __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
                _mm512_store_si512(s->tiles + p * 64, _mm512_permutexvar_epi16(in_turn, both));
            }
            transpose_tile(s->tiles, to);
        }
}

/* sums[v] (16 x 16 floats each) = factors . pairwise, for n_vectors <= 4 vectors of 16 rows. */
INLINE void sum_tiles(const char *factors, const char *pairwise, int64_t n_blocks,
                      int64_t block_bytes, char *sums, const int n_vectors)
{
#define FOR_TILES(do_tile) \
    do_tile(0) if (n_vectors > 1) { do_tile(1) } \
    if (n_vectors > 2) { do_tile(2) } \
    if (n_vectors > 3) { do_tile(3) }
#define ZERO_TILE(v) _tile_zero(v);
#define ADD_TILE(v)                                     \
    _tile_loadd(5, pairwise + (v) * TILE_BYTES, 64);    \
    _tile_dpbf16ps(v, 4, 5);
#define STORE_TILE(v) _tile_stored(v, sums + (v) * TILE_BYTES, 64);
    finish_stores();
    FOR_TILES(ZERO_TILE)
    for (int64_t i = 0; i < n_blocks; i++, factors += TILE_BYTES, pairwise += block_bytes) {
        _tile_loadd(4, factors, 64);
        FOR_TILES(ADD_TILE)
    }
    FOR_TILES(STORE_TILE)
}

/* sums (vector, row, 16 floats) = factors . pairwise, for one tile of rows. */
static void sum_rows_of_tile(const char *factors, const char *pairwise, int64_t n_blocks,
                             int64_t n_vectors, char *sums)
{
    int64_t block_bytes = (n_vectors + 1) / 2 * 2 * TILE_BYTES;
    for (int64_t v = 0; v < n_vectors; v += 4, pairwise += 4 * TILE_BYTES, sums += 4 * TILE_BYTES)
        switch (min64(n_vectors - v, 4)) {
        case 4: sum_tiles(factors, pairwise, n_blocks, block_bytes, sums, 4); break;
        case 3: sum_tiles(factors, pairwise, n_blocks, block_bytes, sums, 3); break;
        case 2: sum_tiles(factors, pairwise, n_blocks, block_bytes, sums, 2); break;
        default: sum_tiles(factors, pairwise, n_blocks, block_bytes, sums, 1);
        }
}

/* Row after row: one that stands twice in the tile collects both sums. */
static void add_sums(float *const *row, int64_t n_rows, const char *sums, int64_t n_vectors,
                     int overwrite)
{
    for (int64_t r = 0; r < n_rows; r++) {
        float *to = row[r];
        const float *sum = (const float *)(sums + r * 64);
        if (overwrite)
            for (int64_t v = 0; v < n_vectors; v++)
                store(to + v * TILE, load(sum + v * TILE * TILE));
        else
            for (int64_t v = 0; v < n_vectors; v++)
                store(to + v * TILE, load(to + v * TILE) + load(sum + v * TILE * TILE));
    }
}

/* target_r (+)= sum over k of factors(r, k) * source_k, over whole rows. n_sources: rows packed
   pairwise. A tile's sums are added while the next one's are under way. */
static void add_tiles(const scratch *s, const rows *target, const char *factors,
                      const char *pairwise, int64_t n_sources, int64_t n_vectors, int overwrite)
{
    int64_t n_blocks = pairs_of_tiles(n_sources), n_tiles = tiles_of(target->n);
    char *sums[2] = {s->tiles, s->out_across};
    for (int64_t t = 0; t <= n_tiles; t++) {
        if (t < n_tiles)
            sum_rows_of_tile(factors + t * n_blocks * TILE_BYTES, pairwise, n_blocks, n_vectors,
                             sums[t % 2]);
        if (t > 0)
            add_sums(target->row + (t - 1) * TILE, min64(target->n - (t - 1) * TILE, TILE),
                     sums[(t - 1) % 2], n_vectors, overwrite);
    }
}

/* Both from the values at the start, which were packed for the scores. */
static void update_by_tiles(const scratch *s, const block *b, int64_t n_vectors)
{
    int overwrite = b->in_change.row != b->in.row;
    pack_factors(s, b->in.n, b->out_step);
    pack_factors_across(s, b->in.n, b->out_step);
    add_tiles(s, &b->in_change, s->factors, s->out_pairwise, b->out.n, n_vectors, overwrite);
    add_tiles(s, &b->out, s->factors_across, s->in_pairwise, b->in.n, n_vectors, 0);
}

/* Tiles pay from about 16 x 16 pairs on: 13 x 16 run as fast by vectors, 6 x 13 faster. */
static int fills_tiles(const block *b) { return b->in.n * b->out.n >= TILE * TILE; }

#endif
