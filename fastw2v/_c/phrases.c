/* Lookups are hashed a batch at a time, so that their cache misses overlap. */
#include "phrases.h"

#include <string.h>

enum { FETCH_AHEAD = 12 }; /* tokens from a fetch to its use */

static inline uint64_t pair_key(uint64_t start, int32_t word)
{
    return (start << 31 | (uint32_t)word) + 1;
}

/* The finaliser of splitmix64 (Steele et al. 2014), without its last step. */
static inline uint64_t hash_key(uint64_t key)
{
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return key;
}

static inline int64_t first_slot(const w2v_pair_table *table, uint64_t hash)
{
    return (int64_t)(hash >> 20) & (table->n_slots - 1); /* shares take the bits on top */
}

/* The slot that holds the key, or the free one where it belongs. */
static inline w2v_pair *find(const w2v_pair_table *table, uint64_t key, uint64_t hash)
{
    int64_t slot = first_slot(table, hash);
    while (table->slots[slot].key != key && table->slots[slot].key != 0)
        slot = (slot + 1) & (table->n_slots - 1);
    return &table->slots[slot];
}

/* At most seven of ten slots are used. */
static inline int has_room(const w2v_pair_table *table, int64_t n_new)
{
    return 10 * (table->n_used + n_new) <= 7 * table->n_slots;
}

/* The start that a connector word makes of another. There is room. */
static uint64_t longer_start(w2v_pair_table *table, uint64_t start, int32_t connector)
{
    uint64_t key = pair_key(start, connector);
    w2v_pair *pair = find(table, key, hash_key(key));
    if (pair->key == 0) {
        pair->key = key;
        pair->value = (int64_t)W2V_FIRST_LONG_START + table->n_long;
        table->long_keys[table->n_long++] = key;
        table->n_used++;
    }
    return (uint64_t)pair->value;
}

static inline void fetch(const w2v_pair_table *table, uint64_t key)
{
    __builtin_prefetch(&table->slots[first_slot(table, hash_key(key))], 1);
}

/* Fetch the slot of two words that are next to each other some way ahead. */
static inline void fetch_ahead(const w2v_pair_table *table, const w2v_stretch *stretch,
                               int64_t position)
{
    if (position + 1 < stretch->n_ids)
        fetch(table, pair_key((uint64_t)stretch->word_ids[position],
                              stretch->word_ids[position + 1]));
}

static inline int at_end(const w2v_stretch *stretch)
{
    return stretch->n_ends_past < stretch->n_ends &&
           stretch->ends[stretch->n_ends_past] == stretch->position;
}

/* Take up to W2V_PAIR_BATCH tokens; collect the keys of this share's pairs and fetch their slots. */
static int collect(w2v_pair_table *table, w2v_stretch *stretch, uint64_t *keys, int share,
                   int n_shares)
{
    int n_keys = 0;
    int64_t stop = stretch->position + W2V_PAIR_BATCH;
    stop = stop < stretch->n_ids ? stop : stretch->n_ids;
    for (; stretch->position < stop; stretch->position++) {
        if (at_end(stretch)) {
            stretch->n_ends_past++;
            stretch->start = -1;
        }
        int32_t word = stretch->word_ids[stretch->position];
        int64_t ahead = stretch->position + FETCH_AHEAD;
        if (ahead < stretch->n_ids && stretch->is_connector[stretch->word_ids[ahead]])
            fetch_ahead(table, stretch, ahead - 1);
        if (stretch->is_connector[word]) {
            if (stretch->start >= 0)
                stretch->start = (int64_t)longer_start(table, (uint64_t)stretch->start, word);
            continue;
        }
        /* No branch: whether a pair is of this share cannot be predicted. */
        uint64_t key = pair_key((uint64_t)stretch->start, word);
        int is_mine = (int)((hash_key(key) >> 56) * (uint64_t)n_shares >> 8) == share;
        keys[n_keys] = key;
        n_keys += is_mine & (stretch->start >= 0);
        stretch->start = word;
    }
    for (int i = 0; i < n_keys; i++)
        fetch(table, keys[i]);
    return n_keys;
}

int w2v_count_pairs(w2v_pair_table *table, w2v_stretch *stretch, int share, int n_shares)
{
    uint64_t keys[W2V_PAIR_BATCH + 1]; /* one that may be of another share is written and left */
    while (stretch->position < stretch->n_ids) {
        if (!has_room(table, W2V_PAIR_BATCH))
            return W2V_PAIRS_FULL;
        if (table->n_long + W2V_PAIR_BATCH > table->max_long)
            return W2V_STARTS_FULL;
        int n_keys = collect(table, stretch, keys, share, n_shares);
        for (int i = 0; i < n_keys; i++) {
            w2v_pair *pair = find(table, keys[i], hash_key(keys[i]));
            table->n_used += pair->key == 0;
            pair->key = keys[i];
            pair->value++;
        }
    }
    if (at_end(stretch)) {
        stretch->n_ends_past++;
        stretch->start = -1;
    }
    return W2V_PAIRS_DONE;
}

void w2v_add_pairs(w2v_pair_table *table, const uint64_t *keys, const int64_t *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        *find(table, keys[i], hash_key(keys[i])) = (w2v_pair){keys[i], values[i]};
    table->n_used += n;
}

void w2v_move_pairs(w2v_pair_table *table, const w2v_pair_table *from)
{
    for (int64_t i = 0; i < from->n_slots; i++)
        if (from->slots[i].key)
            w2v_add_pairs(table, &from->slots[i].key, &from->slots[i].value, 1);
}

int64_t w2v_select_pairs(const w2v_pair_table *table, const uint8_t *is_connector, int64_t least,
                         uint64_t *keys, int64_t *values)
{
    int64_t n_found = 0;
    for (int64_t i = 0; i < table->n_slots; i++) {
        const w2v_pair *pair = &table->slots[i];
        if (pair->value < least || pair->key == 0 || is_connector[(pair->key - 1) & 0x7fffffff])
            continue;
        keys[n_found] = pair->key;
        values[n_found++] = pair->value;
    }
    return n_found;
}

/* ---- merging ---- */

/* Copy ids [begin, end) of the stretch. */
static void copy_ids(const w2v_stretch *stretch, w2v_merged *out, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        out->word_ids[out->n_ids++] = stretch->word_ids[i];
}

void w2v_merge_pairs(const w2v_pair_table *table, w2v_stretch *stretch, w2v_merged *out)
{
    int64_t start = -1, begin = stretch->position; /* of the ids that are not yet copied */
    for (;; stretch->position++) {
        if (at_end(stretch)) {
            copy_ids(stretch, out, begin, stretch->position);
            out->ends[out->n_ends++] = out->n_ids;
            stretch->n_ends_past++;
            begin = stretch->position;
            start = -1;
        }
        if (stretch->position == stretch->n_ids)
            break;
        fetch_ahead(table, stretch, stretch->position + FETCH_AHEAD);
        int32_t word = stretch->word_ids[stretch->position];
        const w2v_pair *pair = NULL;
        if (start >= 0) {
            uint64_t key = pair_key((uint64_t)start, word);
            pair = find(table, key, hash_key(key));
            pair = pair->key ? pair : NULL;
        }
        if (stretch->is_connector[word]) {
            start = pair ? pair->value : -1; /* no phrase begins like this */
        } else if (pair) {
            out->word_ids[out->n_ids++] = (int32_t)pair->value;
            out->n_phrases++;
            begin = stretch->position + 1;
            start = -1;
        } else {
            copy_ids(stretch, out, begin, stretch->position);
            begin = stretch->position;
            start = word;
        }
    }
    if (start < 0) {
        copy_ids(stretch, out, begin, stretch->position);
        begin = stretch->position;
    }
    stretch->position = begin;
}

/* ---- text ---- */

void w2v_write_sentences(w2v_sentence_writer *writer, w2v_stretch *stretch)
{
    for (; stretch->position < stretch->n_ids; stretch->position++) {
        int32_t word = stretch->word_ids[stretch->position];
        int64_t offset = writer->offsets[word], n_bytes = writer->offsets[word + 1] - offset;
        if (writer->n_bytes + n_bytes + 1 > writer->max_bytes)
            return;
        memcpy(writer->text + writer->n_bytes, writer->arena + offset, (size_t)n_bytes);
        writer->n_bytes += n_bytes + 1;
        int is_last = stretch->n_ends_past < stretch->n_ends &&
                      stretch->ends[stretch->n_ends_past] == stretch->position + 1;
        writer->text[writer->n_bytes - 1] = is_last ? '\n' : ' ';
        stretch->n_ends_past += is_last;
    }
}
