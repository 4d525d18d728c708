/* Writes a float32 in the fewest digits that give it back, the nearest of those, as NumPy does. */
#include <string.h>

#include "text/decimal.h"
#include "text/vector_text.h"

/* A float32, or the end of the numbers that round to it, times a power of ten. */
typedef struct {
    uint64_t floor;
    int is_exact;
} scaled_bound;

/* floor(mantissa * 2^exponent * 10^power), |power| <= MAX_EXPONENT, result below 2^64 */
static inline scaled_bound scale_bound(uint64_t mantissa, int exponent, int power)
{
    scaled_bound bound;
    int shift = exponent + power;
    if (power >= 0) {
        wide product = (wide)mantissa * POWERS_OF_5[power];
        if (shift >= 0)
            return (scaled_bound){(uint64_t)(product << shift), 1};
        bound.floor = (uint64_t)(product >> -shift);
        bound.is_exact = ((wide)bound.floor << -shift) == product;
    } else {
        wide product = (wide)mantissa << shift;
        bound.floor = (uint64_t)(product / POWERS_OF_5[-power]);
        bound.is_exact = (wide)bound.floor * POWERS_OF_5[-power] == product;
    }
    return bound;
}

/* digits * 10^exponent */
typedef struct {
    uint64_t digits;
    int exponent;
} shortest;

/* The fewest digits between two bounds, the nearest to the value between them (Adams 2018, "Ryu",
   step 4). The bounds are at least 59 apart, so that a digit is always dropped. */
static shortest shorten(scaled_bound low, scaled_bound value, scaled_bound high, int is_even)
{
    int n_dropped = 0;
    uint64_t dropped = 0;
    int value_is_exact = value.is_exact, low_is_exact = low.is_exact && is_even;
    high.floor -= high.is_exact && !is_even;
    while (high.floor / 10 > low.floor / 10 || (low_is_exact && low.floor % 10 == 0)) {
        low_is_exact &= low.floor % 10 == 0;
        value_is_exact &= dropped == 0;
        dropped = value.floor % 10;
        low.floor /= 10, value.floor /= 10, high.floor /= 10;
        n_dropped++;
    }
    int is_tie = value_is_exact && dropped == 5;
    int up = dropped > 5 || (dropped == 5 && !(is_tie && value.floor % 2 == 0));
    up |= value.floor == low.floor && !low_is_exact;
    return (shortest){value.floor + (uint64_t)up, n_dropped};
}

/* Return 0 for a value left to Python: below 2^-59, above 2^116, or not finite. */
static int shortest_of(float value, shortest *result)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & 0x7fffff;
    int log2 = (int)(bits >> 23 & 0xff) - 127;
    if (log2 < -59 || log2 > 116)
        return 0;
    uint64_t mantissa = 4 * (uint64_t)(fraction | 0x800000);
    int exponent = log2 - 25;
    int power = 9 - (log2 * 1233 >> 12); /* 1233 / 4096 is log10(2): gives 10 or 11 digits */
    scaled_bound low = scale_bound(mantissa - (fraction ? 2 : 1), exponent, power);
    scaled_bound middle = scale_bound(mantissa, exponent, power);
    scaled_bound high = scale_bound(mantissa + 2, exponent, power);
    *result = shorten(low, middle, high, fraction % 2 == 0);
    result->exponent -= power;
    return 1;
}

/* Write digits with a point after the first n_whole; return the end. */
static uint8_t *write_digits(uint8_t *out, const uint8_t *digits, int n_digits, int n_whole)
{
    for (int i = 0; i < n_whole; i++)
        *out++ = i < n_digits ? digits[i] : '0';
    *out++ = '.';
    if (n_digits <= n_whole)
        *out++ = '0';
    for (int i = n_whole; i < n_digits; i++)
        *out++ = digits[i];
    return out;
}

static uint8_t *write_exponent(uint8_t *out, int exponent)
{
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    *out++ = (uint8_t)('0' + exponent / 10);
    *out++ = (uint8_t)('0' + exponent % 10);
    return out;
}

/* Write a value as str(numpy.float32) does; return the end, NULL if it is left to Python. */
static uint8_t *write_value(uint8_t *out, float value)
{
    shortest number;
    uint8_t text[20], *digits = text + sizeof text;
    if (__builtin_signbit(value) && value == value)
        *out++ = '-';
    if (value == 0) {
        memcpy(out, "0.0", 3);
        return out + 3;
    }
    if (!shortest_of(value, &number))
        return NULL;
    for (uint64_t rest = number.digits; rest; rest /= 10)
        *--digits = (uint8_t)('0' + rest % 10);
    int n_digits = (int)(text + sizeof text - digits);
    int exponent = number.exponent + n_digits - 1;
    double size = __builtin_fabs((double)value);
    if (size >= 1e6 || size < 1e-4) { /* where NumPy 2.3 and later turn to exponents */
        *out++ = digits[0];
        if (n_digits > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, (size_t)n_digits - 1);
            out += n_digits - 1;
        }
        return write_exponent(out, exponent);
    }
    if (exponent >= 0)
        return write_digits(out, digits, n_digits, exponent + 1);
    memcpy(out, "0.000", 5); /* exponent >= -4 */
    out += 1 - exponent;
    memcpy(out, digits, (size_t)n_digits);
    return out + n_digits;
}

/* Write the separator or line end after a value, and go to the next. */
static void end_value(w2v_row_writer *writer)
{
    int is_last = writer->value + 1 == writer->dim;
    if (!is_last || writer->separator_at_end)
        writer->text[writer->n_bytes++] = writer->separator;
    if (is_last)
        writer->text[writer->n_bytes++] = '\n';
    writer->row += is_last;
    writer->value = is_last ? 0 : writer->value + 1;
}

/* Write the word of the row; return whether there was room. */
static int write_word(w2v_row_writer *writer)
{
    const int64_t *span = &writer->word_offsets[writer->row];
    int64_t n_bytes = span[1] - span[0];
    if (writer->n_bytes + n_bytes + 1 + W2V_VALUE_BYTES > writer->max_bytes)
        return 0;
    memcpy(writer->text + writer->n_bytes, writer->words + span[0], (size_t)n_bytes);
    writer->n_bytes += n_bytes;
    writer->text[writer->n_bytes++] = writer->separator;
    return 1;
}

int w2v_write_rows(w2v_row_writer *writer)
{
    while (writer->row < writer->n_rows) {
        if (writer->value == 0 && writer->words != NULL && !write_word(writer))
            return W2V_ROWS_FULL;
        int64_t row = writer->row;
        const float *values = writer->rows + row * writer->stride_floats;
        while (writer->row == row) {
            if (writer->n_bytes + W2V_VALUE_BYTES > writer->max_bytes)
                return W2V_ROWS_FULL;
            uint8_t *end = write_value(writer->text + writer->n_bytes, values[writer->value]);
            if (end == NULL)
                return W2V_ROWS_HARD;
            writer->n_bytes = end - writer->text;
            end_value(writer);
        }
    }
    return W2V_ROWS_DONE;
}
