/* The block step's three products on the tile registers of AMX. Operands are rounded to bfloat16
   (8 bits of mantissa, to nearest even), products are summed in float32, and so are the rows
   they are added to: of a row's own value no bit is lost.

   A tile product adds A (16 x 32) times B (32 x 16) to C (16 x 16). A holds rows as they are; B
   holds pairs of its rows interleaved, (b[2p][n], b[2p + 1][n]) for n = 0..15. So each side of
   the block is packed twice: along the dimension for the scores, pairwise for the updates. */
#ifndef W2V_MATRIX_UNIT_H
#define W2V_MATRIX_UNIT_H

#include <immintrin.h>

#include "gradient.h"

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

/* Pack a pair of rows' chunk of 32 floats, the upper 16 zero if not whole: along the dimension,
   one row after the other, and pairwise, one vector after the other. */
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

/* What becomes of the sums in the registers before and after. */
enum { FROM_ZERO, FROM_MEMORY, FROM_REGISTERS };
enum { TO_REGISTERS, TO_MEMORY };

#define FOR_TILES(do_tile)                              \
    do_tile(0, p->c) if (n_b > 1) { do_tile(1, p->c + TILE) } \
    if (n_a > 1) { do_tile(2, below) }                  \
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

/* Where packed chunks lie. Those along the dimension are used at once, so two take turns. */
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

/* scores += the chunk's products. Up to 2 x 2 tiles of scores stay in registers till the last. */
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
            p.c = s->scores + (j * b->out_step + k) * TILE;
            multiply_tiles(&p, n_in - j, n_out - k, from, stays && !is_last ? TO_REGISTERS : TO_MEMORY);
        }
}

/* scores[j, k] = x_j . y_k, and both sides packed for the updates. A chunk is multiplied after
   the next one was packed: tiles can be loaded only once their stores have reached the cache. */
static void score_by_tiles(const scratch *s, const block *b, int64_t n_vectors)
{
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
INLINE double gradients_to_tiles(const scratch *s, const block *b, float lr, const int with_loss)
{
    const __m512i in_turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
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
                    int64_t at = j * out_step + k + t * TILE;
                    if (j < n_in)
                        g[t].even = gradient(s, at, lr, with_loss, &loss);
                    if (j + 1 < n_in)
                        g[t].odd = gradient(s, at + out_step, lr, with_loss, &loss);
                    __m512i pair = round_factors(g[t].even, g[t].odd);
                    _mm512_store_si512(across[t] + (j - first) * 32,
                                       _mm512_permutexvar_epi16(in_turn, pair));
                }
                char *to = s->factors + ((j / TILE * out_blocks + k / PAIRED) * TILE + j % TILE) * 64;
                _mm512_store_si512(to, round_factors(g[0].even, g[1].even));
                _mm512_store_si512(to + 64, round_factors(g[0].odd, g[1].odd));
            }
            for (int t = 0; t < n_tiles; t++)
                transpose_tile(across[t], s->factors_across + ((k / TILE + t) * in_blocks +
                                                               first / PAIRED) * TILE_BYTES);
        }
    return with_loss ? (double)horizontal_sum(loss) : 0.0;
}

/* One side of the update: its rows, and what their changes are products of. */
typedef struct {
    const rows *target;
    const char *factors; /* (tile of targets, 32 sources) */
    char *sources;       /* packed pairwise */
    int64_t n_sources;
    float *sums[2]; /* (16, floats of a row), in turn */
} update;

/* sums = the changes of tile t of the rows. */
static void sum_rows_of_tile(const update *u, int64_t t, int64_t n_vectors)
{
    int64_t n_blocks = pairs_of_tiles(u->n_sources);
    tile_product p = {.a = u->factors + t * n_blocks * TILE_BYTES, .n_blocks = n_blocks};
    p.a_next = TILE_BYTES, p.b_step = TILE_BYTES, p.b_next = 2 * TILE_BYTES;
    p.c_stride = round_up(n_vectors, 2) * TILE;
    for (int64_t v = 0; v < n_vectors; v += 2) {
        p.b = pairwise(u->sources, u->n_sources, v / 2);
        p.c = u->sums[t % 2] + v * TILE;
        multiply_tiles(&p, 1, n_vectors - v, FROM_ZERO, TO_MEMORY);
    }
}

/* Row after row: one that stands twice in the block collects both sums. */
INLINE void add_sums(const update *u, int64_t t, int64_t n_vectors, const int overwrite)
{
    for (int64_t r = 0; r < min64(u->target->n - t * TILE, TILE); r++) {
        float *to = u->target->row[t * TILE + r];
        const float *sum = u->sums[t % 2] + r * round_up(n_vectors, 2) * TILE;
        for (int64_t v = 0; v < n_vectors * TILE; v += TILE) {
            vf change = load(sum + v);
            if (!overwrite)
                change += load(to + v);
            store(to + v, change);
        }
    }
}

static void add_tiles(const update *u, int64_t n_vectors, int overwrite)
{
    int64_t n_tiles = tiles_of(u->target->n);
    for (int64_t t = 0; t <= n_tiles; t++) {
        if (t < n_tiles)
            sum_rows_of_tile(u, t, n_vectors);
        if (t > 0 && overwrite)
            add_sums(u, t - 1, n_vectors, 1);
        else if (t > 0)
            add_sums(u, t - 1, n_vectors, 0);
    }
}

/* Both from the values at the start, which were packed for the scores. A tile's sums are added
   while the next one's are under way. */
static void update_by_tiles(const scratch *s, const block *b, int64_t n_vectors)
{
    update in = {&b->in_change, s->factors, s->out_pairwise, b->out_step, {s->in_sums, s->out_sums}};
    update out = {&b->out, s->factors_across, s->in_pairwise, b->in.n, {s->in_sums, s->out_sums}};
    add_tiles(&in, n_vectors, b->in_change.row != b->in.row);
    add_tiles(&out, n_vectors, 0);
}

/* Tiles pay from about 16 x 16 pairs on: 13 x 16 run as fast by vectors, 6 x 13 faster. */
static int fills_tiles(const block *b) { return b->in.n * b->out.n >= TILE * TILE; }

#endif
