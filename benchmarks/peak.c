/* The multiply-add peak of one core: 12 independent sums per loop, all in registers.
   12 cover two units of latency 4 to 5 and leave AVX2 its 16 registers: 12 sums, 2 factors.
   The sums have names, not indices, so that no compiler puts them into an array in memory.
   The compiler contracts x * factor + term into one instruction where the target has it. */
#include <stdint.h>

#define SUMS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(i) vector sum##i = term + (float)i;
#define STEP(i) sum##i = sum##i * factor + term;
#define TOTAL(i) total += sum##i;

/* n_steps times 12 vector multiply-adds; the result only keeps them from being dropped. */
#define PEAK(name, lanes, attributes)                                              \
    attributes float name(int64_t n_steps, float factor_value, float term_value)   \
    {                                                                              \
        typedef float vector __attribute__((vector_size(4 * lanes)));              \
        vector factor = factor_value - (vector){0}, term = term_value - (vector){0}; \
        SUMS(DECLARE)                                                              \
        for (int64_t i = 0; i < n_steps; i++) {                                    \
            SUMS(STEP)                                                             \
        }                                                                          \
        vector total = {0};                                                        \
        SUMS(TOTAL)                                                                \
        return total[0];                                                           \
    }

PEAK(peak_vec128, 4, )
#if defined(__x86_64__)
PEAK(peak_avx2, 8, __attribute__((target("avx2,fma"))))
PEAK(peak_avx512, 16, __attribute__((target("avx512f,fma"))))
#endif
