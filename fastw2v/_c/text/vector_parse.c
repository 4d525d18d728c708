/* A number is rounded to the nearest double and then to float32, as Python and gensim do. */
#include <string.h>

#include "text/decimal.h"
#include "text/vector_text.h"

enum { MAX_DIGITS = 19 /* 10^19 < 2^64 */ };

/* The powers of ten that a double holds exactly. */
static const double POWERS_OF_10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { MAX_EXACT_POWER = 22 };

/* A decimal number as it was read: digits * 10^exponent, or a little more if truncated. */
typedef struct {
    uint64_t digits;
    int64_t exponent;
    int n_digits;
    int negative, truncated;
} decimal;

static inline int is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') < 10;
}

/* 2^exponent, -1022 <= exponent <= 1023 */
static inline double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

static inline int bit_length(wide value)
{
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    return high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low | 1);
}

/* The double nearest to value * 2^exponent, or to a little more if `more`; ties go to even. */
static double rounded(wide value, int exponent, int more)
{
    int shift = bit_length(value) - 53;
    if (shift <= 0)
        return (double)(uint64_t)value * power_of_2(exponent);
    uint64_t mantissa = (uint64_t)(value >> shift);
    wide rest = value & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
    mantissa += rest > half || (rest == half && (more || (mantissa & 1)));
    return (double)mantissa * power_of_2(exponent + shift);
}

/* The double nearest to digits * 10^exponent, |exponent| <= MAX_EXPONENT, digits > 0. */
static double scaled(uint64_t digits, int exponent)
{
    if (exponent >= 0)
        return rounded((wide)digits * POWERS_OF_5[exponent], exponent, 0);
    int shift = __builtin_clzll(digits);
    wide dividend = (wide)(digits << shift) << 64;
    uint64_t divisor = POWERS_OF_5[-exponent];
    wide quotient = dividend / divisor; /* at least 2^64: never fewer than 53 bits */
    return rounded(quotient, exponent - 64 - shift, quotient * divisor != dividend);
}

/* Return 1 and the value, or 0 if it is left to Python. */
static inline int to_float(const decimal *number, float *value)
{
    double result;
    int64_t exponent = number->exponent;
    if (number->digits == 0) {
        result = 0; /* nothing was truncated: the digits kept start at the first that is not 0 */
    } else if (__builtin_expect(!number->truncated && number->digits <= (uint64_t)1 << 53 &&
                                    exponent >= -MAX_EXACT_POWER && exponent <= MAX_EXACT_POWER,
                                1)) {
        result = (double)number->digits;
        result = exponent < 0 ? result / POWERS_OF_10[-exponent] : result * POWERS_OF_10[exponent];
    } else if (exponent >= -MAX_EXPONENT && exponent <= MAX_EXPONENT) {
        result = scaled(number->digits, (int)exponent);
        if (number->truncated && scaled(number->digits + 1, (int)exponent) != result)
            return 0;
    } else {
        return 0;
    }
    *value = (float)(number->negative ? -result : result);
    return 1;
}

static inline void add_digit(decimal *number, uint8_t byte, int is_fraction)
{
    if (__builtin_expect(number->n_digits < MAX_DIGITS, 1)) {
        number->digits = number->digits * 10 + (uint64_t)(byte - '0');
        number->n_digits += number->digits != 0;
        number->exponent -= is_fraction;
    } else {
        number->truncated |= byte != '0';
        number->exponent += !is_fraction;
    }
}

/* Read `e-05` at `at`, if it is there; return its end, NULL if it has no digits. */
static const uint8_t *read_exponent(const uint8_t *at, const uint8_t *end, decimal *number)
{
    const int64_t huge = 1000000; /* beyond it nothing but 0 and infinity */
    if (at == end || (*at | 32) != 'e')
        return at;
    int negative = 0;
    if (++at < end && (*at == '-' || *at == '+'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++)
        exponent = exponent < huge ? exponent * 10 + (*at - '0') : exponent;
    number->exponent += negative ? -exponent : exponent;
    return at;
}

/* Compare without regard to ASCII case; return the end of the word at `at`, NULL if not there. */
static const uint8_t *skip_word(const uint8_t *at, const uint8_t *end, const char *word)
{
    for (; *word; word++, at++)
        if (at == end || (*at | 32) != (uint8_t)*word)
            return NULL;
    return at;
}

static const uint8_t *read_special(const uint8_t *at, const uint8_t *end, int negative,
                                   float *value)
{
    const uint8_t *after = skip_word(at, end, "nan");
    *value = __builtin_nanf("");
    if (after == NULL) {
        *value = negative ? -__builtin_inff() : __builtin_inff();
        after = skip_word(at, end, "infinity");
    }
    return after ? after : skip_word(at, end, "inf");
}

/* Read a number; return its end, NULL if there is none.  *is_hard: left to Python. */
static inline const uint8_t *read_number(const uint8_t *at, const uint8_t *end, float *value,
                                         int *is_hard)
{
    decimal number = {0, 0, 0, 0, 0};
    if (at < end && (*at == '-' || *at == '+'))
        number.negative = *at++ == '-';
    const uint8_t *start = at;
    for (; at < end && is_digit(*at); at++)
        add_digit(&number, *at, 0);
    int64_t n_read = at - start;
    if (at < end && *at == '.') {
        for (start = ++at; at < end && is_digit(*at); at++)
            add_digit(&number, *at, 1);
        n_read += at - start;
    }
    if (__builtin_expect(n_read == 0, 0))
        return at == start ? read_special(at, end, number.negative, value) : NULL;
    at = read_exponent(at, end, &number);
    *is_hard = at != NULL && !to_float(&number, value);
    return at;
}

/* Parse dim numbers up to the end of the line; return whether they are there. */
static int parse_values(w2v_row_reader *reader, const uint8_t *at, const uint8_t *end)
{
    int64_t first = reader->n_rows * reader->dim, n_hard = reader->n_hard;
    for (int64_t i = 0; i < reader->dim; i++) {
        if (i > 0 && (at == end || *at++ != reader->separator))
            return 0;
        int is_hard = 0;
        const uint8_t *after = read_number(at, end, &reader->rows[first + i], &is_hard);
        if (after == NULL)
            return 0;
        if (__builtin_expect(is_hard, 0)) {
            int64_t *hard = &reader->hard[3 * n_hard++];
            hard[0] = first + i;
            hard[1] = at - reader->text;
            hard[2] = after - reader->text;
        }
        at = after;
    }
    if (at != end)
        return 0;
    reader->n_hard = n_hard;
    return 1;
}

/* The place after the separator before the last dim fields; NULL if there are fewer. */
static const uint8_t *last_values(const w2v_row_reader *reader, const uint8_t *begin,
                                  const uint8_t *end)
{
    const uint8_t *at = end;
    for (int64_t n_left = reader->dim; n_left > 0; n_left -= *at == reader->separator)
        if (at-- == begin)
            return NULL;
    return at + 1;
}

/* Whether all fields have digits and no other characters than those of numbers.
   A second call of read_number would make the first, which reads all numbers, 7 % slower. */
static int look_like_numbers(const w2v_row_reader *reader, const uint8_t *at, const uint8_t *end)
{
    int has_digit = 0;
    for (; at < end; at++) {
        if (*at == reader->separator && !has_digit)
            return 0;
        if (*at != reader->separator && !is_digit(*at) && !memchr("+-.eE", *at, 5))
            return 0;
        has_digit = *at != reader->separator && (has_digit || is_digit(*at));
    }
    return has_digit;
}

/* Whether a word with separators in it can end before `values`: it has none at its ends, and the
   line is not one of a word and too many numbers. */
static int is_spaced_word(const w2v_row_reader *reader, const uint8_t *begin,
                          const uint8_t *values, const uint8_t *end)
{
    const uint8_t *first = memchr(begin, reader->separator, (size_t)(end - begin));
    return first > begin && values[-2] != reader->separator &&
           !look_like_numbers(reader, first + 1, end);
}

static int parse_line(w2v_row_reader *reader, const uint8_t *begin, const uint8_t *end)
{
    while (end > begin && (end[-1] == reader->separator || end[-1] == ' ' || end[-1] == '\r'))
        end--;
    if (!reader->has_words)
        return parse_values(reader, begin, end);
    const uint8_t *values = memchr(begin, reader->separator, (size_t)(end - begin));
    if (values++ == NULL)
        return 0;
    for (int is_spaced = 0; !parse_values(reader, values, end); is_spaced = 1) {
        values = is_spaced ? NULL : last_values(reader, begin, end);
        if (values == NULL || !is_spaced_word(reader, begin, values, end))
            return 0;
    }
    reader->words[2 * reader->n_rows] = begin - reader->text;
    reader->words[2 * reader->n_rows + 1] = values - 1 - reader->text;
    return 1;
}

int w2v_parse_rows(w2v_row_reader *reader)
{
    while (reader->position < reader->n_bytes) {
        const uint8_t *begin = reader->text + reader->position;
        const uint8_t *end = memchr(begin, '\n', (size_t)(reader->n_bytes - reader->position));
        if (end == NULL)
            break;
        if (reader->n_rows == reader->max_rows || reader->n_hard + reader->dim > reader->max_hard)
            return W2V_ROWS_FULL;
        if (!parse_line(reader, begin, end))
            return W2V_ROWS_BAD_LINE;
        reader->n_rows++;
        reader->position = end + 1 - reader->text;
    }
    return W2V_ROWS_DONE;
}
