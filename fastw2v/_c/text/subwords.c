/* Bojanowski et al. 2017 (1607.04606), with the hash and the limits of fastText's dictionary.cc. */
#include "text/subwords.h"

#include <string.h>

static void add_row(const w2v_subwords *model, int64_t row, float *sum)
{
    const uint8_t *from = model->rows + row * model->dim * (int64_t)sizeof(float);
    for (int64_t i = 0; i < model->dim; i++) {
        float value;
        memcpy(&value, from + i * (int64_t)sizeof value, sizeof value);
        sum[i] += value;
    }
}

static inline int continues_character(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* FNV-1a, 32 bits; fastText extends the sign of each byte. */
static inline uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
    return (hash ^ (uint32_t)(int8_t)byte) * 16777619u;
}

int64_t w2v_subword_mean(const w2v_subwords *model, int64_t row, const uint8_t *text,
                         int64_t n_bytes, float *mean)
{
    int64_t n_rows = 1;
    memset(mean, 0, (size_t)model->dim * sizeof *mean);
    add_row(model, row, mean);
    for (int64_t begin = 0; begin < n_bytes; begin++) {
        if (continues_character(text[begin]))
            continue;
        uint32_t hash = 2166136261u;
        int64_t end = begin;
        for (int64_t length = 1; end < n_bytes && length <= model->longest; length++) {
            do
                hash = hash_byte(hash, text[end++]);
            while (end < n_bytes && continues_character(text[end]));
            int is_mark = length == 1 && (begin == 0 || end == n_bytes);
            if (length < model->shortest || is_mark)
                continue;
            add_row(model, model->n_words + hash % (uint32_t)model->n_buckets, mean);
            n_rows++;
        }
    }
    float scale = (float)(1.0 / (double)n_rows);
    for (int64_t i = 0; i < model->dim; i++)
        mean[i] *= scale;
    return n_rows;
}
