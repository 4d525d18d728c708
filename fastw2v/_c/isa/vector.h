/* Vectors of LANES floats, written once with GCC/Clang vector types. */
#ifndef W2V_VECTOR_H
#define W2V_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Loops over tile rows and vectors must be fully unrolled, or the accumulators live in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Outputs of a block are padded to whole vectors and to the 4 columns of a tile of scores. */
enum { OUT_STEP = LANES < 4 ? 4 : LANES };

typedef float vf __attribute__((vector_size(4 * LANES), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * LANES), may_alias));

/* Threads share rows and biases without locks. ThreadSanitizer cannot tell that from a mistake, so
   its build makes each of those accesses a relaxed atomic, and everything else must not race. */
#ifdef W2V_ATOMIC_ROWS
INLINE float load_one(const float *p)
{
    float x;
    __atomic_load(p, &x, __ATOMIC_RELAXED);
    return x;
}
INLINE void store_one(float *p, float x) { __atomic_store(p, &x, __ATOMIC_RELAXED); }
INLINE void add_to_one(float *p, float change) { store_one(p, load_one(p) + change); }
INLINE vf load(const float *p)
{
    vf v;
    for (int i = 0; i < LANES; i++)
        v[i] = load_one(p + i);
    return v;
}
INLINE void store(float *p, vf v)
{
    for (int i = 0; i < LANES; i++)
        store_one(p + i, v[i]);
}
INLINE float *copy_row(float *to, const float *row, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes / sizeof(float); i++)
        to[i] = load_one(row + i);
    return to;
}
#else
#define load_one(p) (*(p))
#define add_to_one(p, change) (*(p) += (change))
#define copy_row memcpy
INLINE vf load(const float *p) { return *(const vf *)p; }
INLINE void store(float *p, vf v) { *(vf *)p = v; }
#endif
INLINE void store_unaligned(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vi load_ids(const int32_t *p)
{
    vi v;
    memcpy(&v, p, sizeof v);
    return v;
}
/* 0, 1, 2, ... */
INLINE vi lane_numbers(void)
{
    static const int32_t number[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return load_ids(number);
}
INLINE vf splat(float x) { return x - (vf){}; }
INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE vf absolute(vf x) { return (vf)((vi)x & ((vi){} + 0x7FFFFFFF)); }

/* 1 if any bit of the mask is set. */
INLINE int any_set(vi mask)
{
#if LANES == 16
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif LANES == 8
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
    int32_t lane[LANES], any = 0;
    memcpy(lane, &mask, sizeof mask);
    UNROLL
    for (int i = 0; i < LANES; i++)
        any |= lane[i];
    return any != 0;
#endif
}

INLINE float horizontal_sum(vf v)
{
    float sum = 0;
    UNROLL
    for (int i = 0; i < LANES; i++)
        sum += v[i];
    return sum;
}

/* GCC and Clang spell a constant shuffle of two vectors differently. */
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){__VA_ARGS__})
#endif

/* sum_rows adds up the lanes of `rows` x 4 accumulators and stores sums[row * row_step + column].
   Transposing while adding takes at most two shuffles and one add a vector, where lane by lane
   takes four of each. sum_four leaves in each 128-bit part the sums of that part of four vectors. */
#if LANES == 1
INLINE void sum_rows(vf acc[][4], int rows, float *sums, int64_t row_step)
{
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int c = 0; c < 4; c++)
            sums[r * row_step + c] = acc[r][c][0];
}
#else

#if LANES == 16
/* Of every four lanes, the first two of a and the last two of b. A blend, which more ports execute
   than the shuffle that GCC makes of SHUFFLE here: x1.03. */
INLINE vf outer_halves(vf a, vf b)
{
    return (vf)_mm512_mask_blend_ps(0xCCCC, (__m512)a, (__m512)b);
}

#define INNER_HALVES 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29
#define EVEN_LANES 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_LANES 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31

INLINE vf sum_four(const vf a[4])
{
    vf ab = outer_halves(a[0], a[1]) + SHUFFLE(a[0], a[1], INNER_HALVES);
    vf cd = outer_halves(a[2], a[3]) + SHUFFLE(a[2], a[3], INNER_HALVES);
    return SHUFFLE(ab, cd, EVEN_LANES) + SHUFFLE(ab, cd, ODD_LANES);
}

INLINE vf join_four(vf r0, vf r1, vf r2, vf r3)
{
    vf r01 = SHUFFLE(r0, r1, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31) +
             SHUFFLE(r0, r1, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    vf r23 = SHUFFLE(r2, r3, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31) +
             SHUFFLE(r2, r3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    return SHUFFLE(r01, r23, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           SHUFFLE(r01, r23, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}
#else
#if LANES == 8
#define LOW_PAIRS 0, 8, 1, 9, 4, 12, 5, 13
#define HIGH_PAIRS 2, 10, 3, 11, 6, 14, 7, 15
#define LOW_HALVES 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_HALVES 2, 3, 10, 11, 6, 7, 14, 15
#else
#define LOW_PAIRS 0, 4, 1, 5
#define HIGH_PAIRS 2, 6, 3, 7
#define LOW_HALVES 0, 1, 4, 5
#define HIGH_HALVES 2, 3, 6, 7
#endif

INLINE vf sum_four(const vf a[4])
{
    vf ab = SHUFFLE(a[0], a[1], LOW_PAIRS) + SHUFFLE(a[0], a[1], HIGH_PAIRS);
    vf cd = SHUFFLE(a[2], a[3], LOW_PAIRS) + SHUFFLE(a[2], a[3], HIGH_PAIRS);
    return SHUFFLE(ab, cd, LOW_HALVES) + SHUFFLE(ab, cd, HIGH_HALVES);
}
#endif

INLINE void sum_rows(vf acc[][4], int rows, float *sums, int64_t row_step)
{
    enum { PARTS = LANES / 4 }; /* rows whose sums fill one vector */
    UNROLL
    for (int first = 0; first < rows; first += PARTS) {
        vf part[4] = {};
        UNROLL
        for (int r = 0; r < PARTS; r++)
            if (first + r < rows)
                part[r] = sum_four(acc[first + r]);
#if LANES == 16
        vf all = join_four(part[0], part[1], part[2], part[3]);
#elif LANES == 8
        vf all = SHUFFLE(part[0], part[1], 0, 1, 2, 3, 8, 9, 10, 11) +
                 SHUFFLE(part[0], part[1], 4, 5, 6, 7, 12, 13, 14, 15);
#else
        vf all = part[0];
#endif
        UNROLL
        for (int r = 0; r < PARTS; r++)
            if (first + r < rows)
                memcpy(sums + (first + r) * row_step, (const char *)&all + 16 * r, 16);
    }
}
#endif

/* exp(-a) for |a| <= 87, where the result is a normal float: 2^f on [-1/2, 1/2] by a minimax
   polynomial, relative error below 2e-7. NaN stays NaN. */
INLINE vf exp_minus(vf a)
{
    vf t = a * -1.44269504f;
    vf magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer in the low bits;
                                      its other bits are shifted out below */
    vf shifted = t + magic;
    vf f = t - (shifted - magic);
    vf p = splat(1.32647e-3f);
    p = p * f + 9.67151e-3f;
    p = p * f + 5.550734e-2f;
    p = p * f + 2.4022242e-1f;
    p = p * f + 6.9314698e-1f;
    p = p * f + 1.0f;
    return (vf)((vi)p + ((vi)shifted << 23));
}

/* NaN stays NaN here too. */
#if LANES == 16
INLINE vf at_most(vf a, float top) { return (vf)_mm512_min_ps((__m512)splat(top), (__m512)a); }
INLINE vf at_least(vf a, float low) { return (vf)_mm512_max_ps((__m512)splat(low), (__m512)a); }
#elif LANES == 8
INLINE vf at_most(vf a, float top) { return (vf)_mm256_min_ps((__m256)splat(top), (__m256)a); }
INLINE vf at_least(vf a, float low) { return (vf)_mm256_max_ps((__m256)splat(low), (__m256)a); }
#else
INLINE vf at_most(vf a, float top) { return choose(a > splat(top), splat(top), a); }
INLINE vf at_least(vf a, float low) { return choose(a < splat(low), splat(low), a); }
#endif

/* The logistic function, without a table or a cut-off. */
INLINE vf sigmoid(vf s)
{
    return 1.0f / (1.0f + exp_minus(at_least(at_most(s, 87.0f), -87.0f)));
}

/* log(1 + exp(s)) = -log sigmoid(-s), by log1p(e) = 2 atanh(e / (2 + e)): error below 2e-7. */
INLINE vf softplus(vf s)
{
    vf e = exp_minus(at_most(absolute(s), 87.0f));
    vf z = e / (2.0f + e), z2 = z * z;
    vf p = splat(2.0f / 13);
    p = p * z2 + 2.0f / 11;
    p = p * z2 + 2.0f / 9;
    p = p * z2 + 2.0f / 7;
    p = p * z2 + 2.0f / 5;
    p = p * z2 + 2.0f / 3;
    p = p * z2 + 2.0f;
    return choose(s < 0.0f, (vf){}, s) + p * z;
}

#endif
