/* Rows of a block, rounded to bfloat16 (8 bits of mantissa, to nearest even) and packed in pairs of
   numbers for AVX-512's dot products of pairs. A chunk is 32 floats of a row. */
#ifndef W2V_BFLOAT16_H
#define W2V_BFLOAT16_H

#include "step/block.h"

enum { CHUNK_FLOATS = 2 * LANES, VECTOR_BYTES = 64 };
enum { TRANSPOSED_BYTES = LANES * VECTOR_BYTES }; /* a chunk of 16 rows */

INLINE int64_t chunks_of(int64_t n_vectors) { return (n_vectors + 1) / 2; }

/* In each lane: sum + the dot product of two pairs. A pair fills a 32-bit lane. */
INLINE vf add_dots(vf sum, __m512i a, __m512i b)
{
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

/* Round 16 numbers, then 16 others. */
INLINE __m512i round_both(vf first, vf second)
{
    return (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

/* The pair at from, in every lane. */
INLINE __m512i splat_pair(const char *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
}

/* The first and the last 16 numbers of a chunk of two rows: pairs (even[i], odd[i]). */
INLINE __m512i first_pairs(__m512i even, __m512i odd)
{
    const __m512i pairing = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9,
                                             40, 8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1,
                                             32, 0);
    return _mm512_permutex2var_epi16(even, pairing, odd);
}

INLINE __m512i last_pairs(__m512i even, __m512i odd)
{
    const __m512i pairing = _mm512_set_epi16(63, 31, 62, 30, 61, 29, 60, 28, 59, 27, 58, 26, 57, 25,
                                             56, 24, 55, 23, 54, 22, 53, 21, 52, 20, 51, 19, 50, 18,
                                             49, 17, 48, 16);
    return _mm512_permutex2var_epi16(even, pairing, odd);
}

/* Transpose 16 x 16 pairs in registers: r[i] = pair i of what was in r[0..15]. */
INLINE void transpose(__m512i r[16])
{
    __m512i t[16];
    UNROLL
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* 16 pairs of numbers of two rows. */
INLINE __m512i pairs_of(vf even, vf odd)
{
    const __m512i pairing = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
                                             24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                             16, 0);
    return _mm512_permutexvar_epi16(pairing, round_both(even, odd));
}

/* A chunk of all rows. */
typedef struct {
    int64_t number, n_chunks;
    int is_whole; /* 0: its upper half is past the end of the rows */
} chunk;

INLINE __m512i rounded(const float *row, const chunk c)
{
    row += c.number * CHUNK_FLOATS;
    return round_both(load(row), c.is_whole ? load(row + LANES) : (vf){});
}

/* Pairs of two rows.  pairwise: (pairs of rows, n_chunks, 2 vectors). */
INLINE void store_pairwise(char *pairwise, int64_t row, __m512i even, __m512i odd, const chunk c)
{
    char *to = pairwise + (row / 2 * c.n_chunks + c.number) * 2 * VECTOR_BYTES;
    _mm512_store_si512(to, first_pairs(even, odd));
    if (c.is_whole)
        _mm512_store_si512(to + VECTOR_BYTES, last_pairs(even, odd));
}

/* out_across: (16 outputs each, n_chunks, 16 pairs, 16 outputs). */
INLINE void round_outputs(const scratch *s, const block *b, const chunk c)
{
    for (int64_t k = 0; k < b->out_step; k += 16) {
        __m512i r[16];
        UNROLL
        for (int i = 0; i < 16; i += 2) {
            r[i] = rounded(b->out.row[k + i], c);
            r[i + 1] = rounded(b->out.row[k + i + 1], c);
            store_pairwise(s->out_pairwise, k + i, r[i], r[i + 1], c);
        }
        transpose(r);
        char *to = s->out_across + (k / 16 * c.n_chunks + c.number) * TRANSPOSED_BYTES;
        UNROLL
        for (int i = 0; i < 16; i++)
            if (c.is_whole || i < 8)
                _mm512_store_si512(to + i * VECTOR_BYTES, r[i]);
    }
}

/* in_along: (n_chunks, inputs rounded up to pairs, 16 pairs). */
INLINE void round_inputs(const scratch *s, const block *b, const chunk c)
{
    char *to = s->in_along + c.number * round_up(b->in.n, 2) * VECTOR_BYTES;
    for (int64_t j = 0; j < b->in.n; j += 2, to += 2 * VECTOR_BYTES) {
        __m512i even = rounded(b->in.row[j], c), odd = rounded(b->in.row[j + 1], c);
        _mm512_store_si512(to, even);
        _mm512_store_si512(to + VECTOR_BYTES, odd);
        store_pairwise(s->in_pairwise, j, even, odd, c);
    }
}

static void round_rows(const scratch *s, const block *b, int64_t n_vectors)
{
    chunk c = {0, chunks_of(n_vectors), 1};
    for (; 2 * c.number + 1 < n_vectors; c.number++) {
        round_outputs(s, b, c);
        round_inputs(s, b, c);
    }
    if (c.number < c.n_chunks) {
        c.is_whole = 0;
        round_outputs(s, b, c);
        round_inputs(s, b, c);
    }
}

#endif
