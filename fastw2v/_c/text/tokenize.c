/* Tokens of raw text, in one pass: ASCII eight bytes at a time, all else through a table of
   Unicode. */
#include "text/tokenize.h"

#include "text/unicode_table.h"
#include "text/utf8.h"

#include <string.h>

enum {
    DOTTED_I = 0x130,
    DOT_ABOVE = 0x307, /* that its lower case has */
    CAPITAL_SIGMA = 0x3A3,
    FINAL_SIGMA = 0x3C2,
    APOSTROPHE = 0x2019
};

/* ---- ASCII ---- */

#define ONES 0x0101010101010101u
#define BIT7 (ONES * 0x80)

/* Bit 7 of each byte of the result is set where that byte of x, below 128, is in first..last. */
ALWAYS_INLINE uint64_t in_range(uint64_t x, uint8_t first, uint8_t last)
{
    return (x + ONES * (uint8_t)(0x80 - first)) & ~(x + ONES * (uint8_t)(0x7F - last)) & BIT7;
}

/* Write eight bytes in lower case, and return how many belong to words before the first that does
   not. */
ALWAYS_INLINE int take_ascii(const uint8_t *at, uint8_t *out, int rule)
{
    uint64_t x;
    memcpy(&x, at, 8);
    uint64_t low7 = x & ~BIT7, letters = in_range(low7 | ONES * 0x20, 'a', 'z') & ~x;
    uint64_t others = rule == W2V_WORDS ? in_range(low7, '0', '9') : in_range(low7, '_', '_');
    uint64_t lower = x | letters >> 2, outside = ~(letters | others) | x;
    memcpy(out, &lower, 8);
    outside &= BIT7;
    return outside ? __builtin_ctzll(outside) / 8 : 8;
}

/* ---- UTF-8, backwards ---- */

/* Return the character that ends at `end`, and put its place there. */
static uint32_t decode_before(const uint8_t *text, const uint8_t **end)
{
    const uint8_t *begin = *end - 1;
    while (begin > text && *end - begin < 4 && is_continuation(*begin))
        begin--;
    uint32_t c;
    if (decode(begin, *end, &c) != *end - begin) {
        begin = *end - 1;
        c = INVALID;
    }
    *end = begin;
    return c;
}

/* ---- Unicode ---- */

ALWAYS_INLINE const unicode_record *record_of(uint32_t c)
{
    return &UNICODE_RECORDS[UNICODE_POINTS[(uint32_t)UNICODE_BLOCKS[c >> 7] << 7 | (c & 127)]];
}

/* Whether the capital sigma of two bytes at `at` is the last cased letter after another: Unicode's
   Final_Sigma, as in str.lower(). */
static int is_final_sigma(const uint8_t *text, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *before = at, *after = at + 2;
    int sigma = SIGMA_IGNORABLE;
    while (before > text && sigma == SIGMA_IGNORABLE)
        sigma = record_of(decode_before(text, &before))->sigma;
    if (sigma != SIGMA_CASED)
        return 0;
    sigma = SIGMA_IGNORABLE;
    while (after < end && sigma == SIGMA_IGNORABLE) {
        uint32_t c;
        after += decode(after, end, &c);
        sigma = record_of(c)->sigma;
    }
    return sigma != SIGMA_CASED;
}

/* The base of a character that has an entry in ACCENTED. */
static uint32_t without_accents(uint32_t c)
{
    uint32_t first = 0, n = sizeof ACCENTED / sizeof *ACCENTED;
    while (n > 1) {
        uint32_t half = n / 2;
        if (ACCENTED[first + half] <= c)
            first += half;
        n -= half;
    }
    return UNACCENTED[first];
}

/* What two characters compose, 0 for nothing: NFC, for characters that are no nonspacing marks. */
static uint32_t composed(uint32_t first, uint32_t second)
{
    enum { LEAD = 0x1100, VOWEL = 0x1161, FINAL = 0x11A7, SYLLABLE = 0xAC00 };
    if (first - LEAD < 19 && second - VOWEL < 21)
        return SYLLABLE + ((first - LEAD) * 21 + second - VOWEL) * 28;
    uint32_t number = first - SYLLABLE;
    if (number < 19 * 21 * 28 && number % 28 == 0 && second - FINAL < 28)
        return first + second - FINAL;
    for (uint32_t i = 0; i < sizeof COMPOSED / sizeof *COMPOSED; i += 3)
        if (COMPOSED[i] == first && COMPOSED[i + 1] == second)
            return COMPOSED[i + 2];
    return 0;
}

/* ---- tokens ---- */

/* A copy for each rule is made of the functions below: the compiler knows `rule`. */
typedef struct {
    const uint8_t *text, *end;
    uint8_t *out, *token;   /* where the next byte and the current token go */
    int64_t n_continuation; /* bytes of the token that are not the first of a character */
} writer;

ALWAYS_INLINE void end_token(writer *w, const w2v_tokenizer *how, int rule)
{
    int is_kept = w->out > w->token;
    if (rule == W2V_SIMPLE && is_kept) {
        int64_t n_characters = w->out - w->token - w->n_continuation;
        is_kept = (n_characters >= how->min_len) & (n_characters <= how->max_len) &
                  (*w->token != '_');
        w->n_continuation = 0;
    }
    uint8_t *end = is_kept ? w->out : w->token;
    *end = ' '; /* there is room, also where it does not stay */
    w->token = w->out = end + is_kept;
}

ALWAYS_INLINE void add(writer *w, uint32_t c)
{
    int n_bytes = encode(c, w->out);
    w->out += n_bytes;
    w->n_continuation += n_bytes - 1;
}

/* Join a character to the one before it, if they compose; return whether they do. */
static int compose(writer *w, uint32_t c)
{
    const uint8_t *last = w->out;
    uint32_t both = w->out > w->token ? composed(decode_before(w->token, &last), c) : 0;
    if (both == 0)
        return 0;
    w->n_continuation -= w->out - last - 1;
    w->out -= w->out - last;
    add(w, both);
    return 1;
}

/* Remove the accents of a character in lower case; return whether nothing is left to add. */
ALWAYS_INLINE int remove_accents(writer *w, const unicode_record *record, uint32_t *c)
{
    if (record->accent == ACCENT_MAPPED) {
        *c = without_accents(*c);
        record = record_of(*c);
    }
    return record->accent == ACCENT_DELETED ||
           (record->accent == ACCENT_COMPOSES && compose(w, *c));
}

/* Whether a character at `at` begins a word: an apostrophe before it is part of the word. */
ALWAYS_INLINE int starts_word(const uint8_t *at, const uint8_t *end)
{
    uint32_t c;
    return at < end && decode(at, end, &c) && record_of(c)->words == WORDS_STARTS;
}

/* In place of the space after the last token, if there is one: W2V_TOKENIZED_BYTES counts on it. */
ALWAYS_INLINE void add_newline(writer *w, const uint8_t *begin)
{
    w->out -= w->out > begin && w->out[-1] == ' ';
    *w->out++ = '\n';
    w->token = w->out;
}

/* Take the character at `at`, which is no ASCII, and return its bytes. */
ALWAYS_INLINE int take(writer *w, const w2v_tokenizer *how, int rule, const uint8_t *at)
{
    uint32_t c;
    int n_bytes = decode(at, w->end, &c);
    const unicode_record *record = record_of(c);
    uint32_t lower = c + (uint32_t)record->to_lower;
    if (__builtin_expect(c == CAPITAL_SIGMA, 0) && is_final_sigma(w->text, at, w->end))
        lower = FINAL_SIGMA;
    int is_inside = record->simple;
    if (rule == W2V_WORDS) {
        is_inside = record->words == WORDS_STARTS ||
                    (record->words == WORDS_EXTENDS && w->out > w->token);
        if (c == APOSTROPHE && w->out > w->token && starts_word(at + n_bytes, w->end)) {
            lower = '\'';
            is_inside = 1;
        }
    } else if (how->without_accents && record->accent && remove_accents(w, record, &lower)) {
        return n_bytes;
    }
    if (is_inside)
        add(w, lower);
    else
        end_token(w, how, rule);
    if (__builtin_expect(c == DOTTED_I, 0)) {
        if (rule == W2V_WORDS)
            add(w, DOT_ABOVE);
        else if (!how->without_accents)
            end_token(w, how, rule);
    }
    return n_bytes;
}

ALWAYS_INLINE int64_t tokenize(const w2v_tokenizer *how, int rule, const uint8_t *text,
                               int64_t n_bytes, uint8_t *out)
{
    uint8_t last[8] = {0}; /* of the text, with a separator after them */
    writer w = {text, text + n_bytes, out, out, 0};
    for (const uint8_t *at = text; at < w.end;) {
        if (*at >= 0x80) {
            at += take(&w, how, rule, at);
            continue;
        }
        if (*at != ' ') {
            const uint8_t *from = at;
            if (__builtin_expect(w.end - at < 8, 0))
                from = memcpy(last, at, (size_t)(w.end - at)), last[w.end - at] = 0;
            int n_taken = take_ascii(from, w.out, rule);
            w.out += n_taken;
            at += n_taken;
            if (n_taken == 8 || at == w.end || *at >= 0x80)
                continue;
        }
        if (rule == W2V_WORDS && *at == '\'' && w.out > w.token && starts_word(at + 1, w.end)) {
            *w.out++ = *at++;
            continue;
        }
        end_token(&w, how, rule);
        if (*at == '\n')
            add_newline(&w, out);
        at++;
    }
    end_token(&w, how, rule);
    return w.out - out;
}

int64_t w2v_tokenize(const w2v_tokenizer *how, const uint8_t *text, int64_t n_bytes, uint8_t *out)
{
    if (how->rule == W2V_WORDS)
        return tokenize(how, W2V_WORDS, text, n_bytes, out);
    return tokenize(how, W2V_SIMPLE, text, n_bytes, out);
}
