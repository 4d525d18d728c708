/* Raw text to tokens: the result fits its buffer, and text cut at white space gives the same. */
#include "fuzz.h"
#include "text/tokenize.h"

static uint8_t *tokens_of(const w2v_tokenizer *how, const uint8_t *text, int64_t n_bytes,
                          int64_t *n_out)
{
    uint8_t *out = room_for(W2V_TOKENIZED_BYTES(n_bytes), 1);
    *n_out = w2v_tokenize(how, text, n_bytes, out);
    MUST(*n_out >= 0 && *n_out <= W2V_TOKENIZED_BYTES(n_bytes));
    return out;
}

/* Whether two parts make the whole, in which a newline replaces the space of the token before it. */
static int make(const uint8_t *whole, int64_t n_whole, const uint8_t *first, int64_t n_first,
                const uint8_t *rest, int64_t n_rest)
{
    if (n_first && n_rest && rest[0] == '\n' && first[n_first - 1] == ' ')
        n_first--;
    return n_first + n_rest == n_whole && memcmp(whole, first, (size_t)n_first) == 0 &&
           memcmp(whole + n_first, rest, (size_t)n_rest) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    w2v_tokenizer how = {1 + data[0] % 2, data[0] / 2 % 2, data[1] % 4, 1 + data[1] % 16};
    uint8_t *text = copy_of(data + 2, size - 2);
    int64_t n_bytes = (int64_t)size - 2, n_whole, n_first, n_rest;
    uint8_t *whole = tokens_of(&how, text, n_bytes, &n_whole);
    for (int64_t cut = 0; cut < n_bytes; cut++) {
        if (text[cut] != ' ' && text[cut] != '\n')
            continue;
        uint8_t *first = tokens_of(&how, text, cut, &n_first);
        uint8_t *rest = tokens_of(&how, text + cut, n_bytes - cut, &n_rest);
        MUST(make(whole, n_whole, first, n_first, rest, n_rest));
        free(first), free(rest);
    }
    free(text), free(whole);
    return 0;
}
