/* Characters to UTF-8 and back, one at a time. */
#ifndef W2V_UTF8_H
#define W2V_UTF8_H

#include <stdint.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { INVALID = 0xD800 }; /* in place of a byte that is not UTF-8: a surrogate, which no text has */

ALWAYS_INLINE int is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Decode the character at `at` and return its bytes; INVALID and 1 for a byte that is not UTF-8. */
ALWAYS_INLINE int decode(const uint8_t *at, const uint8_t *end, uint32_t *c)
{
    uint32_t lead = at[0];
    *c = lead;
    if (lead < 0x80)
        return 1;
    if (lead < 0xE0) {
        *c = (lead & 0x1F) << 6;
        if (lead >= 0xC2 && end - at >= 2 && is_continuation(at[1])) {
            *c |= at[1] & 0x3F;
            return 2;
        }
    } else if (lead < 0xF0) {
        if (end - at >= 3 && is_continuation(at[1]) && is_continuation(at[2])) {
            *c = (lead & 0xF) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
            if (*c >= 0x800 && (*c & 0xF800) != 0xD800)
                return 3;
        }
    } else if (end - at >= 4 && is_continuation(at[1]) && is_continuation(at[2]) &&
               is_continuation(at[3])) {
        *c = (lead & 0xF) << 18 | (uint32_t)(at[1] & 0x3F) << 12 | (uint32_t)(at[2] & 0x3F) << 6 |
             (at[3] & 0x3F);
        if (*c >= 0x10000 && *c < 0x110000)
            return 4;
    }
    *c = INVALID;
    return 1;
}

ALWAYS_INLINE int encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

#endif
