/* AMX's tile registers: packing rows for them, and products of up to 2 x 2 tiles.

   A tile product adds A (16 x 32) times B (32 x 16) to C (16 x 16). A holds rows as they are; B
   holds pairs of its rows interleaved, (b[2p][n], b[2p + 1][n]) for n = 0..15. */
#ifndef W2V_TILES_H
#define W2V_TILES_H

#include <immintrin.h>

#include "step/products.h"

enum { TILE = 16, PAIRED = 2 * TILE, TILE_BYTES = TILE * 64 };

/* All eight tile registers: 16 rows of 64 bytes. */
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t n_rows[16];
} TILE_CONFIG = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

static void begin_tiles(void) { _tile_loadconfig(&TILE_CONFIG); }

static void end_tiles(void) { _tile_release(); }

/* GCC's headers do not declare that a tile load reads memory, so this keeps stores before it. */
INLINE void finish_stores(void) { __asm__ volatile("" ::: "memory"); }

INLINE int64_t tiles_of(int64_t n) { return (n + TILE - 1) / TILE; }
INLINE int64_t pairs_of_tiles(int64_t n) { return (n + PAIRED - 1) / PAIRED; }

/* 32 floats in bfloat16: eight groups of four, alternately from the two vectors. In this order,
   each half of an unpacked pair of rows is one vector. */
INLINE __m512i round_two(vf low, vf high)
{
    const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    return _mm512_permutexvar_epi64(order, both);
}

/* Pack a chunk of 32 floats of a pair of rows, the upper 16 zero if not whole: along the dimension,
   row by row, and pairwise, vector by vector. */
INLINE void pack_pair(const float *even, const float *odd, const int whole, char *along,
                      char *pairwise)
{
    __m512i first = round_two(load(even), whole ? load(even + TILE) : (vf){});
    __m512i second = round_two(load(odd), whole ? load(odd + TILE) : (vf){});
    _mm512_store_si512(along, first);
    _mm512_store_si512(along + 64, second);
    _mm512_store_si512(pairwise, _mm512_unpacklo_epi16(first, second));
    _mm512_store_si512(pairwise + TILE_BYTES, _mm512_unpackhi_epi16(first, second));
}

/* Pack a chunk, which starts at float `from`, of n rows, rounded up to pairs.
   pairwise: (32 rows, 2 vectors, 16 pairs, 64 bytes). */
INLINE void pack_rows(float *const *row, int64_t n, int64_t from, const int whole, char *along,
                      char *pairwise)
{
    for (int64_t j = 0; j < n; j += 2)
        pack_pair(row[j] + from, row[j + 1] + from, whole, along + j * 64,
                  pairwise + (j / PAIRED * 2 * TILE + j % PAIRED / 2) * 64);
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

/* Up to 2 x 2 tiles of C = A . B, where A and B are n_blocks tiles long each. */
typedef struct {
    const char *a, *b;
    int64_t a_step, b_step; /* bytes to the tile of A below, of B beside it */
    int64_t a_next, b_next; /* bytes to the next block's */
    int64_t n_blocks;
    float *c;
    int64_t c_stride; /* floats from row to row of C */
} tile_product;

/* Where sums come from before a product, and where they go after it. */
enum { FROM_ZERO, FROM_MEMORY, FROM_REGISTERS };
enum { TO_REGISTERS, TO_MEMORY };

#define FOR_TILES(do_tile)                       \
    do_tile(0, p->c)                             \
    if (n_b > 1) { do_tile(1, p->c + TILE) }     \
    if (n_a > 1) { do_tile(2, below) }           \
    if (n_a > 1 && n_b > 1) { do_tile(3, below + TILE) }
#define ZERO_TILE(i, c) _tile_zero(i);
#define LOAD_TILE(i, c) _tile_loadd(i, c, p->c_stride * 4);
#define STORE_TILE(i, c) _tile_stored(i, c, p->c_stride * 4);

INLINE void multiply(const tile_product *p, const int n_a, const int n_b, int from, int to)
{
    const char *a = p->a, *b = p->b;
    float *below = p->c + TILE * p->c_stride;
    finish_stores();
    if (from == FROM_ZERO) {
        FOR_TILES(ZERO_TILE)
    } else if (from == FROM_MEMORY) {
        FOR_TILES(LOAD_TILE)
    }
    for (int64_t i = 0; i < p->n_blocks; i++, a += p->a_next, b += p->b_next) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (n_b > 1) {
            _tile_loadd(7, b + p->b_step, 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (n_a > 1) {
            _tile_loadd(5, a + p->a_step, 64);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (n_a > 1 && n_b > 1) { _tile_dpbf16ps(3, 5, 7); }
    }
    if (to == TO_MEMORY) { FOR_TILES(STORE_TILE) }
}

static void multiply_tiles(const tile_product *p, int64_t n_a, int64_t n_b, int from, int to)
{
    switch (min64(n_a, 2) * 2 + min64(n_b, 2)) {
    case 6: multiply(p, 2, 2, from, to); break;
    case 5: multiply(p, 2, 1, from, to); break;
    case 4: multiply(p, 1, 2, from, to); break;
    default: multiply(p, 1, 1, from, to);
    }
}

#endif
