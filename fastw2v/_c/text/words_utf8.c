#include "text/words_utf8.h"

#include "text/utf8.h"

ALWAYS_INLINE uint32_t character_at(const void *characters, int width, int64_t i)
{
    return width == 1   ? ((const uint8_t *)characters)[i]
           : width == 2 ? ((const uint16_t *)characters)[i]
                        : ((const uint32_t *)characters)[i];
}

int64_t w2v_utf8_bytes(const void *characters, int width, int64_t n)
{
    int64_t n_bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t c = character_at(characters, width, i);
        if ((c & 0xFFFFF800) == 0xD800)
            return -1;
        n_bytes += 1 + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
    }
    return n_bytes;
}

uint8_t *w2v_write_utf8(const void *characters, int width, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out += encode(character_at(characters, width, i), out);
    return out;
}
