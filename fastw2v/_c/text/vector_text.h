/* Rows of text, `word value value ...`, to float32 and back.
   Python owns all memory named here. Numbers that need more than 128 bits of exact arithmetic are
   left to Python's float() and str(); all others give the same bits as these. */
#ifndef W2V_VECTOR_TEXT_H
#define W2V_VECTOR_TEXT_H

#include <stdint.h>

enum {
    W2V_ROWS_DONE = 0,     /* no whole line, or no row, is left */
    W2V_ROWS_FULL = 1,     /* make room and call again */
    W2V_ROWS_BAD_LINE = 2, /* the line at `position` is not a word and dim numbers */
    W2V_ROWS_HARD = 3      /* the next value is Python's to write */
};

enum { W2V_VALUE_BYTES = 24 }; /* sign, 10 digits, point, exponent, separator, line end */

/* Lines to parse, and where their numbers go. */
typedef struct {
    const uint8_t *text; /* (n_bytes,), no byte past them is read */
    float *rows;         /* (max_rows, dim) float32 */
    int64_t *words;      /* (max_rows, 2) begin and end of each word in the text */
    int64_t *hard;       /* (max_hard, 3) index into rows, begin and end of values left to Python */
    int64_t n_bytes, position;
    int64_t dim, max_rows, max_hard;
    int64_t n_rows, n_hard;
    int32_t has_words; /* whether each line starts with a word: all before the last dim values */
    uint8_t separator;
} w2v_row_reader;

/* Rows to write, and where the text goes. */
typedef struct {
    const float *rows;           /* (n_rows, stride_floats) float32 */
    const uint8_t *words;        /* the words end to end, or NULL to write none */
    const int64_t *word_offsets; /* (n_rows + 1,) word i is words[offsets[i]:offsets[i + 1]] */
    uint8_t *text;               /* (max_bytes,) */
    int64_t n_rows, stride_floats, dim;
    int64_t max_bytes, n_bytes;
    int64_t row, value;          /* what comes next; value 0 is preceded by the word */
    uint8_t separator;
    int32_t separator_at_end;    /* whether one follows the last value too */
} w2v_row_writer;

/* Parse whole lines from `position` on; `position` stays at the start of a line. */
int w2v_parse_rows(w2v_row_reader *reader);

/* Append text while it surely fits: a word and W2V_VALUE_BYTES a value. */
int w2v_write_rows(w2v_row_writer *writer);

#endif
