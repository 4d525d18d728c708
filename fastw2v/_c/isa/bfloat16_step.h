/* The block step's three products by AVX-512's dot products of bfloat16 pairs, which do twice the
   multiply-adds of float32 vectors. Operands are rounded; sums, and the rows they are added to, are
   float32. One side of each product is a pair in all lanes, so no sum is gathered from the lanes of
   a vector. Updates skip pairs of rows with weight 0: most centres of a skip-gram block are outside
   an input's window. */
#ifndef W2V_BFLOAT16_STEP_H
#define W2V_BFLOAT16_STEP_H

#include "isa/bfloat16.h"
#include "step/paired_outputs.h"
#include "step/prefetch.h"

enum { SCORE_ROWS = 10, UPDATE_ROWS = 3 }; /* 20 sums, 2 + 1 operands; 24 sums, 3 + 1 operands */
enum { MAX_IN = 128, MAX_OUT = 64 }; /* bits of masks that say which pairs have a weight */

/* Blocks of 13 x 16 and larger; see step/rounded_path.h for paths. */
INLINE int is_rounded(const block *b)
{
    return !b->is_path && b->in.n <= MAX_IN && b->out_step <= MAX_OUT && b->in.n * b->out.n > 200;
}

/* The first input and the first output of a tile. */
typedef struct {
    int64_t j, k;
} corner;

/* Scores of n_rows inputs and n_tiles x 16 outputs. Each chunk prefetches a row of the next block,
   and the updates prefetch the rest: x1.03 with 1,000,000 words. */
INLINE void score_tile(const scratch *s, const block *b, row_shape shape, corner at,
                       const int n_rows, const int n_tiles)
{
    vf sum[SCORE_ROWS][2] = {};
    int64_t n_pairs = (shape.dim + 1) / 2, chunk_step = round_up(b->in.n, 2) * VECTOR_BYTES;
    int64_t tile_step = chunks_of(shape.n_vectors) * TRANSPOSED_BYTES;
    const char *along = s->in_along + at.j * VECTOR_BYTES;
    const char *across = s->out_across + at.k / LANES * tile_step;
    for (int64_t p = 0; p < n_pairs; p += LANES, along += chunk_step) {
        int64_t n = min64(LANES, n_pairs - p);
        prefetch_queued(s, 1);
        for (int64_t i = 0; i < n; i++, across += VECTOR_BYTES) {
            __m512i outputs[2];
            UNROLL
            for (int t = 0; t < n_tiles; t++)
                outputs[t] = _mm512_load_si512(across + t * tile_step);
            UNROLL
            for (int r = 0; r < n_rows; r++) {
                __m512i input = splat_pair(along + r * VECTOR_BYTES + i * 4);
                UNROLL
                for (int t = 0; t < n_tiles; t++)
                    sum[r][t] = add_dots(sum[r][t], input, outputs[t]);
            }
        }
    }
    float *scores = b->scores + at.j * b->out_step + at.k;
    UNROLL
    for (int r = 0; r < n_rows; r++)
        UNROLL
        for (int t = 0; t < n_tiles; t++)
            store(scores + r * b->out_step + t * LANES, sum[r][t]);
}

#define SCORE_CASE(n)                               \
    case n:                                         \
        if (b->out_step - at.k > LANES)             \
            score_tile(s, b, shape, at, n, 2);      \
        else                                        \
            score_tile(s, b, shape, at, n, 1);      \
        break;

/* scores[j, k] = x_j . y_k, of the rounded rows, which stay for the updates. */
static void score_rounded(const scratch *s, const block *b, row_shape shape)
{
    round_rows(s, b, shape.n_vectors);
    int64_t n_groups = (b->in.n + SCORE_ROWS - 1) / SCORE_ROWS;
    int64_t n_rows = (b->in.n + n_groups - 1) / n_groups;
    for (corner at = {0, 0}; at.j < b->in.n; at.j += n_rows)
        for (at.k = 0; at.k < b->out_step; at.k += 2 * LANES)
            switch (min64(n_rows, b->in.n - at.j)) {
                SCORE_CASE(1) SCORE_CASE(2) SCORE_CASE(3) SCORE_CASE(4) SCORE_CASE(5)
                SCORE_CASE(6) SCORE_CASE(7) SCORE_CASE(8) SCORE_CASE(9) SCORE_CASE(10)
            }
}

/* Bit i: weight i of 16 is not 0. */
INLINE uint64_t weighted_bits(const float *weight)
{
    return _mm512_cmpneq_ps_mask(_mm512_load_ps(weight), _mm512_setzero_ps());
}

/* Round 16 factors of two inputs, and store them as two rows and as pairs across the rows. */
INLINE void store_factors(char *rows, int64_t row_bytes, char *across, vf even, vf odd)
{
    __m512i both = round_both(even, odd);
    __m256i last = _mm512_extracti64x4_epi64(both, 1);
    _mm256_storeu_si256((__m256i *)rows, _mm512_castsi512_si256(both));
    _mm256_storeu_si256((__m256i *)(rows + row_bytes), last);
    _mm512_store_si512(across, first_pairs(both, _mm512_castsi256_si512(last)));
}

/* scores -> g in place, and rounded: factors (n_in, out_step), and factors_across (pairs of inputs,
   out_step, 2). */
static double rounded_gradients(const scratch *s, const block *b, const int with_loss)
{
    int64_t out_step = b->out_step;
    vf loss = {};
    for (int64_t j = 0; j < b->in.n; j += 2) {
        uint64_t even_bits = 0, odd_bits = 0;
        for (int64_t k = 0; k < out_step; k += LANES) {
            int64_t at = j * out_step + k, next = at + out_step;
            vf odd = {}, even = gradient(b, at, at, with_loss, &loss);
            even_bits |= weighted_bits(b->weight + at) << k;
            if (j + 1 < b->in.n) {
                odd = gradient(b, next, next, with_loss, &loss);
                odd_bits |= weighted_bits(b->weight + next) << k;
            }
            store_factors(s->factors + at * 2, out_step * 2,
                          s->factors_across + (j / 2 * out_step + k) * 4, even, odd);
        }
        s->weighted[j] = even_bits, s->weighted[j + 1] = odd_bits;
        s->weighted_pair[j / 2] = even_bits | odd_bits;
    }
    return with_loss ? (double)horizontal_sum(loss) : 0.0;
}

/* Which pairs of outputs have a weight with any of n inputs from j on: a pair is its lower bit. */
INLINE uint64_t outputs_of(const scratch *s, int64_t j, int64_t n)
{
    uint64_t weighted = s->weighted[j];
    for (int64_t r = 1; r < n; r++)
        weighted |= s->weighted[j + r];
    return (weighted | weighted >> 1) & 0x5555555555555555u;
}

/* Which pairs of inputs have a weight with any of n outputs from k on. */
INLINE uint64_t inputs_of(const scratch *s, int64_t n_pairs, int64_t k, int64_t n)
{
    uint64_t pairs = 0;
    __m512i outputs = _mm512_set1_epi64((int64_t)((((uint64_t)1 << n) - 1) << k));
    for (int64_t q = 0; q < n_pairs; q += 8) {
        __m512i weighted = _mm512_load_si512(s->weighted_pair + q);
        pairs |= (uint64_t)_mm512_test_epi64_mask(weighted, outputs) << q;
    }
    return pairs & (~(uint64_t)0 >> (64 - n_pairs));
}

/* target_i += sum of factor(i, q) . source(q) over the bits q of sources_of[i / UPDATE_ROWS]. The
   pair factor(i, q) is at factors + i * target_step + q * factor_step; steps are in bytes.
   With paired rows: target_i = paired_factor_i * paired_i + that sum. */
typedef struct {
    float *const *target;       /* (n_targets,) rows */
    int64_t n_targets;
    const char *factors;        /* bfloat16 pairs */
    const char *sources;        /* rows of bfloat16 pairs, source_step apart */
    int64_t target_step, factor_step, source_step;
    const uint64_t *sources_of; /* (n_targets / UPDATE_ROWS,) rounded up */
    float *const *paired;       /* (n_targets,) rows */
    const float *paired_factor; /* (n_targets,) */
    int64_t n_prefetches;       /* rows of the next block, after each panel of a tile */
} rounded_update;

INLINE void update_tile(const rounded_update u, int64_t first, int64_t offset, const int n_targets,
                        const int n_vectors, const int has_paired)
{
    vf sum[UPDATE_ROWS][ROW_VECTORS] = {};
    float *target[UPDATE_ROWS];
    const char *factors = u.factors + first * u.target_step, *sources = u.sources + offset * 4;
    UNROLL
    for (int r = 0; r < n_targets; r++) {
        target[r] = u.target[first + r] + offset;
        UNROLL
        for (int v = 0; v < n_vectors && has_paired; v++)
            sum[r][v] = u.paired_factor[first + r] * load(u.paired[first + r] + offset + v * LANES);
    }
    for (uint64_t left = u.sources_of[first / UPDATE_ROWS]; left; left &= left - 1) {
        int64_t q = __builtin_ctzll(left);
        __m512i factor[UPDATE_ROWS];
        UNROLL
        for (int r = 0; r < n_targets; r++)
            factor[r] = splat_pair(factors + q * u.factor_step + r * u.target_step);
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            __m512i source = _mm512_load_si512(sources + q * u.source_step + v * VECTOR_BYTES);
            UNROLL
            for (int r = 0; r < n_targets; r++)
                sum[r][v] = add_dots(sum[r][v], factor[r], source);
        }
    }
    /* Row by row: a row that occurs twice in the tile gets both sums. */
    UNROLL
    for (int r = 0; r < n_targets; r++)
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            if (!has_paired)
                sum[r][v] += load(target[r] + v * LANES);
            store(target[r] + v * LANES, sum[r][v]);
        }
}

#define UPDATE_PANEL_OF_TILE(offset, width)                                            \
    {                                                                                  \
        switch (min64(u.n_targets - i, UPDATE_ROWS)) {                                 \
        case 3: update_tile(u, i, offset, 3, width, has_paired); break;                   \
        case 2: update_tile(u, i, offset, 2, width, has_paired); break;                   \
        default: update_tile(u, i, offset, 1, width, has_paired);                         \
        }                                                                              \
        prefetch_queued(s, u.n_prefetches);                                                    \
    }

INLINE void update_targets(const scratch *s, const rounded_update u, int64_t n_vectors,
                           const int has_paired)
{
    for (int64_t i = 0; i < u.n_targets; i += UPDATE_ROWS) {
        FOR_PANELS(n_vectors, UPDATE_PANEL_OF_TILE)
    }
}

static void add_to_targets(const scratch *s, const rounded_update *u, int64_t n_vectors)
{
    update_targets(s, *u, n_vectors, 0);
}

static void set_targets(const scratch *s, const rounded_update *u, int64_t n_vectors)
{
    update_targets(s, *u, n_vectors, 1);
}

/* Inputs and outputs, from the rounded copies of both. Paired outputs have no copies: if the inputs
   are not hidden, paired outputs are read and changed before the inputs are. */
static void update_rounded(const scratch *s, const block *b, int64_t n_vectors)
{
    uint64_t outputs[MAX_IN / UPDATE_ROWS + 1], inputs[MAX_OUT / UPDATE_ROWS + 1];
    int64_t n_pairs = (b->in.n + 1) / 2, n_tiles = 0, pair_bytes = chunks_of(n_vectors) * 128;
    for (int64_t j = 0; j < b->in.n; j += UPDATE_ROWS, n_tiles++)
        outputs[j / UPDATE_ROWS] = outputs_of(s, j, min64(b->in.n - j, UPDATE_ROWS));
    for (int64_t k = 0; k < b->out.n; k += UPDATE_ROWS, n_tiles++)
        inputs[k / UPDATE_ROWS] = inputs_of(s, n_pairs, k, min64(b->out.n - k, UPDATE_ROWS));
    int64_t n_panels = (n_vectors + ROW_VECTORS - 1) / ROW_VECTORS;
    int64_t n_prefetches = s->queue->n / (n_tiles * n_panels) + 1;
    rounded_update in = {.target = b->in.row, .n_targets = b->in.n, .factors = s->factors,
                         .sources = s->out_pairwise, .target_step = b->out_step * 2,
                         .factor_step = 2, .source_step = pair_bytes / 2, .sources_of = outputs,
                         .paired = s->paired_row, .paired_factor = b->scores + paired_at(b),
                         .n_prefetches = n_prefetches};
    rounded_update out = {.target = b->out.row, .n_targets = b->out.n,
                          .factors = s->factors_across, .sources = s->in_pairwise,
                          .target_step = 4, .factor_step = b->out_step * 4,
                          .source_step = pair_bytes, .sources_of = inputs,
                          .n_prefetches = n_prefetches};
    if (b->in_are_hidden)
        in.target = b->in_change_row;
    if (b->in_are_hidden && b->has_paired) {
        set_targets(s, &in, n_vectors);
        update_paired(s, b, n_vectors);
    } else {
        if (b->has_paired)
            change_paired(s, b, n_vectors);
        add_to_targets(s, &in, n_vectors);
    }
    add_to_targets(s, &out, n_vectors);
    if (b->has_paired && !b->in_are_hidden)
        add_input_changes(b, n_vectors);
}

#endif
