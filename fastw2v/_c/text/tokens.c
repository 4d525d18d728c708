/* Text to word ids. A batch of words is found and hashed, then looked up: its cache misses overlap,
   and it either fits the tables or is left for the next call. */
#include "text/tokens.h"

#include <string.h>

static const uint8_t KEEP_BYTES[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                       255, 255, 255, 255, 255, 255, 255, 255};

/* A word found in the text: its bytes, and its first 16 of them zero-padded. */
typedef struct {
    const uint8_t *begin;
    int64_t length;
    uint64_t low, high;
    uint64_t hash;
} found_word;

/* ---- hashing ---- */

static inline uint64_t load8(const void *from)
{
    uint64_t value;
    memcpy(&value, from, 8);
    return value;
}

/* The key is random: words whose product with a known key is 0 would all have the hash 0. */
static inline uint64_t mix(w2v_hash_key key, uint64_t low, uint64_t high)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(low ^ key.low) * (high ^ key.high);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_long(w2v_hash_key key, const uint8_t *word, int64_t length)
{
    uint64_t hash = (uint64_t)length;
    for (int64_t i = 0; i + 16 < length; i += 16)
        hash = mix(key, load8(word + i) ^ hash, load8(word + i + 8));
    return mix(key, load8(word + length - 16) ^ hash, load8(word + length - 8));
}

/* Fill low, high and hash. `readable` bytes from word->begin on may be loaded. */
static inline void hash_word(w2v_hash_key key, found_word *word, int64_t readable)
{
    int64_t length = word->length;
    if (__builtin_expect(length > 16, 0)) {
        word->hash = hash_long(key, word->begin, length);
        return;
    }
    const uint8_t *bytes = word->begin;
    uint8_t padded[16] = {0};
    if (__builtin_expect(readable < 16, 0))
        bytes = memcpy(padded, bytes, (size_t)length);
    word->low = load8(bytes) & load8(KEEP_BYTES + 16 - length);
    word->high = load8(bytes + 8) & load8(KEEP_BYTES + 24 - length);
    word->hash = mix(key, word->low, word->high);
}

/* ---- the table ---- */

static inline int same_word(const w2v_words *words, int64_t id, const found_word *word)
{
    const uint8_t *known = words->arena + words->offsets[id];
    if (words->offsets[id + 1] - words->offsets[id] != word->length)
        return 0;
    if (__builtin_expect(word->length > 16, 0))
        return memcmp(known, word->begin, (size_t)word->length) == 0;
    uint64_t low = load8(known) & load8(KEEP_BYTES + 16 - word->length);
    uint64_t high = load8(known + 8) & load8(KEEP_BYTES + 24 - word->length);
    return ((low ^ word->low) | (high ^ word->high)) == 0;
}

static int64_t add_word(w2v_words *words, const found_word *word, int64_t slot)
{
    int64_t id = words->n_words++, offset = words->offsets[id];
    memcpy(words->arena + offset, word->begin, (size_t)word->length);
    words->offsets[id + 1] = offset + word->length;
    words->counts[id] = 0;
    words->slots[slot] = (word->hash & 0xffffffff00000000u) | (uint64_t)(id + 1);
    return id;
}

/* The id of a word, which is added if it is new; there must be room. */
static inline int64_t intern(w2v_words *words, const found_word *word)
{
    int64_t mask = words->n_slots - 1;
    for (int64_t slot = (int64_t)word->hash & mask;; slot = (slot + 1) & mask) {
        uint64_t entry = words->slots[slot];
        if (__builtin_expect(entry == 0, 0))
            return add_word(words, word, slot);
        if (((entry ^ word->hash) >> 32) == 0) {
            int64_t id = (int64_t)(entry & 0xffffffffu) - 1;
            if (__builtin_expect(same_word(words, id, word), 1))
                return id;
        }
    }
}

static inline int table_has_room(const w2v_words *words, int64_t n_new)
{
    return words->n_words + n_new <= words->max_words &&
           W2V_SLOTS_PER_WORD * (words->n_words + n_new) <= words->n_slots;
}

static inline int arena_has_room(const w2v_words *words, int64_t n_bytes)
{
    return words->offsets[words->n_words] + n_bytes <= words->max_arena_bytes;
}

static found_word known_word(const w2v_words *words, int64_t id, w2v_hash_key key)
{
    found_word word = {words->arena + words->offsets[id],
                       words->offsets[id + 1] - words->offsets[id], 0, 0, 0};
    hash_word(key, &word, 16); /* the arena is padded */
    return word;
}

void w2v_rehash(w2v_words *words)
{
    int64_t mask = words->n_slots - 1;
    for (int64_t id = 0; id < words->n_words; id++) {
        uint64_t hash = known_word(words, id, words->key).hash;
        int64_t slot = (int64_t)hash & mask;
        while (words->slots[slot])
            slot = (slot + 1) & mask;
        words->slots[slot] = (hash & 0xffffffff00000000u) | (uint64_t)(id + 1);
    }
}

int w2v_merge_words(w2v_words *words, const w2v_words *from, int64_t *position, int64_t last,
                    int32_t *new_ids)
{
    for (; *position < last; ++*position) {
        found_word word = known_word(from, *position, words->key);
        if (!table_has_room(words, 1))
            return W2V_TABLE_FULL;
        if (!arena_has_room(words, word.length))
            return W2V_ARENA_FULL;
        int64_t id = intern(words, &word);
        words->counts[id] += from->counts[*position];
        new_ids[*position] = (int32_t)id;
    }
    return W2V_DONE;
}

/* ---- splitting ---- */

/* Bit 7 of each byte of the result is set where that byte of x is ASCII white space. */
static inline uint64_t space_flags(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, low7 = ones * 0x7f;
    uint64_t low = x & low7;
    uint64_t at_least_tab = low + ones * (0x80 - '\t'), past_return = low + ones * (0x7f - '\r');
    uint64_t not_blank = (low ^ ones * ' ') + low7;
    return ((at_least_tab & ~past_return) | ~not_blank) & ~x & ~low7;
}

/* The same for newlines. */
static inline uint64_t newline_flags(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, low7 = ones * 0x7f;
    return ~(((x & low7) ^ ones * '\n') + low7) & ~x & ~low7;
}

/* Gather bit 7 of eight bytes; byte i in memory order becomes bit i (little-endian). */
static inline uint64_t gather_flags(uint64_t flags)
{
    return (flags >> 7) * 0x0102040810204080u >> 56;
}

/* One bit for each of 64 bytes. */
typedef struct {
    uint64_t spaces, newlines;
} byte_masks;

static inline byte_masks classify(const uint8_t *bytes)
{
    byte_masks masks = {0, 0};
    for (int i = 0; i < 8; i++) {
        uint64_t eight = load8(bytes + 8 * i);
        masks.spaces |= gather_flags(space_flags(eight)) << 8 * i;
        masks.newlines |= gather_flags(newline_flags(eight)) << 8 * i;
    }
    return masks;
}

/* The masks at `base`. Bytes past the text's end count as blanks. */
static inline byte_masks classify_at(const w2v_text *text, int64_t base)
{
    if (__builtin_expect(base + 64 <= text->n_bytes, 1))
        return classify(text->bytes + base);
    uint8_t tail[64];
    memset(tail, ' ', sizeof tail);
    memcpy(tail, text->bytes + base, (size_t)(text->n_bytes - base));
    return classify(tail);
}

static inline void end_sentence(w2v_encoded *out, int64_t end)
{
    if (out->n_ends == 0 || out->ends[out->n_ends - 1] < end)
        out->ends[out->n_ends++] = end;
}

/* Append the word, unless it is too long. */
static inline void add_found(found_word *found, int *n_found, w2v_encoded *out,
                             const uint8_t *begin, int64_t length)
{
    if (__builtin_expect(length > W2V_MAX_WORD_BYTES, 0))
        out->n_too_long++;
    else
        found[(*n_found)++] = (found_word){.begin = begin, .length = length};
}

/* Find up to W2V_WORD_BATCH words from text->position on, and the sentence ends between them. */
static int find_words(w2v_text *text, found_word *found, w2v_encoded *out)
{
    int n_found = 0;
    int64_t begin = -1; /* of the word being read; -1 between words */
    for (int64_t base = text->position; base < text->n_bytes; base += 64) {
        byte_masks masks = classify_at(text, base);
        uint64_t edges = masks.spaces ^ (masks.spaces << 1 | (begin < 0));
        for (uint64_t events = edges | masks.newlines; events; events &= events - 1) {
            int bit = __builtin_ctzll(events);
            if (!(masks.spaces >> bit & 1)) {
                begin = base + bit;
                continue;
            }
            if (begin >= 0)
                add_found(found, &n_found, out, text->bytes + begin, base + bit - begin);
            begin = -1;
            if (masks.newlines >> bit & 1)
                end_sentence(out, out->n_ids + n_found);
            if (n_found == W2V_WORD_BATCH) {
                text->position = base + bit + (base + bit < text->n_bytes);
                return n_found;
            }
        }
    }
    if (begin >= 0)
        add_found(found, &n_found, out, text->bytes + begin, text->n_bytes - begin);
    text->position = text->n_bytes;
    return n_found;
}

/* Hash the batch, prefetch its slots, and return its size in bytes. */
static int64_t hash_words(const w2v_words *words, const w2v_text *text, found_word *found, int n)
{
    w2v_hash_key key = words->key;
    int64_t n_bytes = 0;
    const uint8_t *end = text->bytes + text->n_bytes;
    for (int i = 0; i < n; i++) {
        hash_word(key, &found[i], end - found[i].begin);
        __builtin_prefetch(&words->slots[(int64_t)found[i].hash & (words->n_slots - 1)]);
        n_bytes += found[i].length;
    }
    return n_bytes;
}

int w2v_encode_text(w2v_words *words, w2v_text *text, w2v_encoded *out)
{
    found_word found[W2V_WORD_BATCH];
    while (text->position < text->n_bytes) {
        int64_t position = text->position, n_ends = out->n_ends, n_too_long = out->n_too_long;
        if (out->n_ids + W2V_WORD_BATCH > out->max_ids ||
            n_ends + W2V_WORD_BATCH + 1 > out->max_ends)
            return W2V_OUTPUT_FULL;
        if (!table_has_room(words, W2V_WORD_BATCH))
            return W2V_TABLE_FULL;
        int n_found = find_words(text, found, out);
        if (!arena_has_room(words, hash_words(words, text, found, n_found))) {
            text->position = position;
            out->n_ends = n_ends;
            out->n_too_long = n_too_long;
            return W2V_ARENA_FULL;
        }
        for (int i = 0; i < n_found; i++) {
            int64_t id = intern(words, &found[i]);
            words->counts[id]++;
            out->word_ids[out->n_ids++] = (int32_t)id;
        }
    }
    return W2V_DONE;
}

/* ---- ids ---- */

void w2v_count_ids(const int32_t *word_ids, int64_t n_ids, int64_t *counts)
{
    for (int64_t i = 0; i < n_ids; i++)
        counts[word_ids[i]]++;
}

void w2v_remap_ids(w2v_encoded *encoded, const int32_t *new_ids)
{
    int32_t *word_ids = encoded->word_ids;
    int64_t n_tokens = encoded->n_ids, n_ends = encoded->n_ends, token = 0;
    encoded->n_ids = encoded->n_ends = 0;
    for (int64_t i = 0; i <= n_ends; i++) {
        int64_t end = i < n_ends ? encoded->ends[i] : n_tokens, n_kept = encoded->n_ids;
        for (; token < end; token++) {
            int32_t id = new_ids[word_ids[token]];
            word_ids[n_kept] = id;
            n_kept += id >= 0;
        }
        encoded->n_ids = n_kept;
        if (i < n_ends)
            end_sentence(encoded, n_kept);
    }
}
