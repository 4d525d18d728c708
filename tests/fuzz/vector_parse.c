/* Rows of text: every number that the parser takes is the float32 of strtod's double. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text/vector_text.h"

enum { MAX_ROWS = 8, MAX_DIM = 4 };

static void check_number(const char *text, int64_t n_bytes, float value)
{
    char copy[512];
    if (n_bytes >= (int64_t)sizeof copy)
        return;
    memcpy(copy, text, (size_t)n_bytes);
    copy[n_bytes] = 0;
    char *end;
    float expected = (float)strtod(copy, &end);
    MUST(end == copy + n_bytes);
    MUST(memcmp(&expected, &value, sizeof value) == 0 || (expected != expected && value != value));
}

static int is_hard(const w2v_row_reader *reader, int64_t index)
{
    for (int64_t i = 0; i < reader->n_hard; i++)
        if (reader->hard[3 * i] == index)
            return 1;
    return 0;
}

static void check_row(const w2v_row_reader *reader, int64_t row)
{
    const char *text = (const char *)reader->text, *past = text + reader->n_bytes;
    const char *at = text + (reader->has_words ? reader->words[2 * row + 1] + 1 : 0);
    if (!reader->has_words)
        for (int64_t line = 0; line < row; line++)
            at = (const char *)memchr(at, '\n', (size_t)(past - at)) + 1;
    for (int64_t i = 0; i < reader->dim; i++) {
        const char *end = at;
        while (*end != '\n' && *end != reader->separator && *end != ' ' && *end != '\r')
            end++;
        if (!is_hard(reader, row * reader->dim + i))
            check_number(at, end - at, reader->rows[row * reader->dim + i]);
        at = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    w2v_row_reader reader = {.dim = 1 + data[0] % MAX_DIM, .max_rows = 1 + (data[0] >> 2) % MAX_ROWS};
    reader.has_words = data[0] >> 5 & 1;
    reader.separator = data[0] >> 7 ? '\t' : ' ';
    reader.max_hard = 2 * reader.dim, reader.n_bytes = (int64_t)size - 1;
    uint8_t *text = copy_of(data + 1, size - 1);
    reader.text = text;
    reader.rows = room_for(reader.max_rows * reader.dim, sizeof(float));
    reader.words = room_for(2 * reader.max_rows, sizeof(int64_t));
    reader.hard = room_for(3 * reader.max_hard, sizeof(int64_t));
    int code = w2v_parse_rows(&reader);
    MUST(code == W2V_ROWS_DONE || code == W2V_ROWS_FULL || code == W2V_ROWS_BAD_LINE);
    MUST(reader.n_rows <= reader.max_rows && reader.n_hard <= reader.max_hard);
    MUST(reader.position >= 0 && reader.position <= reader.n_bytes);
    for (int64_t row = 0; row < reader.n_rows; row++)
        check_row(&reader, row);
    free(text), free(reader.rows), free(reader.words), free(reader.hard);
    return 0;
}
