/* Text to word ids: the words are those that splitting at white space byte by byte finds. */
#include "fuzz.h"
#include "text/tokens.h"

static int is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static w2v_words empty_words(int64_t n_slots, int64_t max_arena_bytes)
{
    w2v_words words = {.n_slots = n_slots, .max_words = n_slots / W2V_SLOTS_PER_WORD,
                       .max_arena_bytes = max_arena_bytes};
    words.slots = calloc((size_t)n_slots, sizeof(uint64_t));
    words.offsets = calloc((size_t)words.max_words + 1, sizeof(int64_t));
    words.counts = calloc((size_t)words.max_words, sizeof(int64_t));
    words.arena = calloc((size_t)max_arena_bytes + W2V_ARENA_PADDING, 1);
    MUST(words.slots && words.offsets && words.counts && words.arena);
    return words;
}

static void free_words(w2v_words *words)
{
    free(words->slots), free(words->offsets), free(words->counts), free(words->arena);
}

/* Make room, as Python does. */
static void grow(w2v_words *words, int code)
{
    MUST(code == W2V_TABLE_FULL || code == W2V_ARENA_FULL);
    int64_t n_slots = words->n_slots * (code == W2V_TABLE_FULL ? 2 : 1);
    int64_t max_bytes = words->max_arena_bytes * (code == W2V_ARENA_FULL ? 2 : 1);
    w2v_words larger = empty_words(n_slots, max_bytes);
    larger.n_words = words->n_words;
    memcpy(larger.offsets, words->offsets, (size_t)(words->n_words + 1) * sizeof(int64_t));
    memcpy(larger.counts, words->counts, (size_t)words->n_words * sizeof(int64_t));
    memcpy(larger.arena, words->arena, (size_t)words->offsets[words->n_words]);
    w2v_rehash(&larger);
    free_words(words);
    *words = larger;
}

static w2v_encoded encode(w2v_words *words, const uint8_t *text, int64_t n_bytes)
{
    int64_t room = n_bytes / 2 + 2 + W2V_WORD_BATCH;
    w2v_encoded out = {.max_ids = room, .max_ends = room + 1};
    out.word_ids = room_for(out.max_ids, sizeof(int32_t));
    out.ends = room_for(out.max_ends, sizeof(int64_t));
    w2v_text block = {text, n_bytes, 0};
    int code;
    while ((code = w2v_encode_text(words, &block, &out)) != W2V_DONE)
        grow(words, code);
    return out;
}

static void check(const w2v_words *words, const w2v_encoded *out, const uint8_t *text,
                  int64_t n_bytes)
{
    int64_t n_words = 0, n_ends = 0, n_of_sentence = 0;
    for (int64_t at = 0; at < n_bytes;) {
        if (is_space(text[at])) {
            if (text[at++] == '\n' && (n_of_sentence > 0 || n_words == 0)) {
                if (n_ends == 0 || out->ends[n_ends - 1] < n_words)
                    MUST(n_ends < out->n_ends && out->ends[n_ends++] == n_words);
                n_of_sentence = 0;
            }
            continue;
        }
        int64_t begin = at;
        while (at < n_bytes && !is_space(text[at]))
            at++;
        MUST(n_words < out->n_ids);
        int64_t id = out->word_ids[n_words++];
        MUST(id >= 0 && id < words->n_words);
        MUST(words->offsets[id + 1] - words->offsets[id] == at - begin);
        MUST(memcmp(words->arena + words->offsets[id], text + begin, (size_t)(at - begin)) == 0);
        n_of_sentence++;
    }
    MUST(n_words == out->n_ids && n_ends == out->n_ends);
}

static void check_distinct(const w2v_words *words)
{
    for (int64_t a = 0; a < words->n_words; a++)
        for (int64_t b = 0; b < a; b++) {
            int64_t length = words->offsets[a + 1] - words->offsets[a];
            MUST(words->offsets[b + 1] - words->offsets[b] != length ||
                 memcmp(words->arena + words->offsets[a], words->arena + words->offsets[b],
                        (size_t)length) != 0);
        }
}

/* Merge the words of the second half of the text into those of the first; drop every third. */
static void check_halves(const uint8_t *text, int64_t n_bytes)
{
    int64_t half = n_bytes / 2;
    while (half < n_bytes && !is_space(text[half]))
        half++;
    w2v_words words = empty_words(256, 32), others = empty_words(256, 32);
    w2v_encoded first = encode(&words, text, half), out = encode(&others, text + half, n_bytes - half);
    int64_t n_tokens = out.n_ids, position = 0, n_counted = 0;
    int32_t *new_ids = room_for(others.n_words, sizeof(int32_t));
    int code;
    while ((code = w2v_merge_words(&words, &others, &position, others.n_words, new_ids)) != W2V_DONE)
        grow(&words, code);
    w2v_remap_ids(&out, new_ids);
    MUST(out.n_ids == n_tokens);
    check(&words, &out, text + half, n_bytes - half);
    for (int64_t id = 0; id < words.n_words; id++)
        n_counted += words.counts[id];
    MUST(n_counted == first.n_ids + n_tokens);
    for (int64_t id = 0; id < words.n_words; id += 3)
        words.counts[id] = 0;
    int32_t *kept = room_for(words.n_words, sizeof(int32_t));
    for (int64_t id = 0; id < words.n_words; id++)
        kept[id] = words.counts[id] ? (int32_t)id : -1;
    w2v_remap_ids(&out, kept);
    for (int64_t i = 0; i < out.n_ids; i++)
        MUST(out.word_ids[i] % 3 != 0);
    for (int64_t i = 0; i < out.n_ends; i++)
        MUST(out.ends[i] <= out.n_ids && (i == 0 || out.ends[i] > out.ends[i - 1]));
    free(kept), free(new_ids), free(first.word_ids), free(first.ends), free(out.word_ids);
    free(out.ends), free_words(&words), free_words(&others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = copy_of(data, size);
    w2v_words words = empty_words(256, 32);
    w2v_encoded out = encode(&words, text, (int64_t)size);
    check(&words, &out, text, (int64_t)size);
    if (words.n_words < 300)
        check_distinct(&words);
    check_halves(text, (int64_t)size);
    free(text), free(out.word_ids), free(out.ends), free_words(&words);
    return 0;
}
