/* What the fuzz targets share: checks that end the process, and memory without slack, so that the
   address sanitizer sees every byte read or written too far. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                            \
    do {                                                                           \
        if (!(condition)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
            abort();                                                               \
        }                                                                          \
    } while (0)

static inline void *room_for(int64_t n, size_t item_bytes)
{
    void *room = malloc((size_t)n * item_bytes);
    MUST(room != NULL || n == 0);
    return room;
}

static inline uint8_t *copy_of(const uint8_t *data, size_t n)
{
    uint8_t *copy = room_for((int64_t)n, 1);
    if (n)
        memcpy(copy, data, n);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
