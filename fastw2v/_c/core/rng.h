/* Counter-based draws: SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom
   number generators", figure 17). A draw is a function of a key and a counter: it depends on the
   seed, the epoch and the position in the corpus, never on threads or on chunk borders. */
#ifndef W2V_RNG_H
#define W2V_RNG_H

#include <stdint.h>

enum stream { STREAM_TOKENS = 1, STREAM_NOISE = 2, STREAM_LOSS = 3 };

static inline uint64_t mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The key of a stream of draws within an epoch. */
static inline uint64_t stream_key(uint64_t epoch_key, enum stream stream)
{
    return mix64(epoch_key + (uint64_t)stream);
}

/* Draw number `counter` of a stream: 64 random bits. */
static inline uint64_t draw64(uint64_t key, uint64_t counter)
{
    return mix64(key + (counter + 1) * 0x9E3779B97F4A7C15u);
}

/* Map 32 random bits to 0..n-1 (Lemire 2019, "Fast random integer generation"). */
static inline uint32_t below(uint32_t bits, uint32_t n)
{
    return (uint32_t)(((uint64_t)bits * n) >> 32);
}

/* The same for n < 2^63, exact as well: n is split, since a 96-bit product takes longer. */
static inline int64_t below_wide(uint32_t bits, int64_t n)
{
    return (int64_t)bits * (n >> 32) + (int64_t)below(bits, (uint32_t)n);
}

#endif
