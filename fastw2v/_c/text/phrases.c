/* A batch of keys is hashed before it is looked up, so that cache misses overlap. */
#include "text/phrases.h"

#include <string.h>

static inline uint64_t pair_key(uint64_t start, int32_t word)
{
    return (start << W2V_WORD_BITS | (uint32_t)word) + 1;
}

/* The finaliser of splitmix64 (Steele et al. 2014), without its last step and with a secret key. */
static inline uint64_t hash_of(const w2v_pair_table *table, uint64_t key)
{
    key ^= table->key.low;
    key = (key ^ key >> 30) * table->key.high;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return key;
}

/* Slots are in the order of the hash, so that one sweep moves a table to another. */
static inline int64_t first_slot(const w2v_pair_table *table, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (int64_t)((wide)(hash << 8) * (uint64_t)table->n_slots >> 64); /* shares: top bits */
}

/* The slot that holds the key, or the free one where it belongs. */
static inline w2v_pair *find(const w2v_pair_table *table, uint64_t key, uint64_t hash)
{
    int64_t slot = first_slot(table, hash);
    while (table->slots[slot].key != key && table->slots[slot].key != 0)
        slot = slot + 1 == table->n_slots ? 0 : slot + 1;
    return &table->slots[slot];
}

/* At most seven of ten slots are used. */
static inline int has_room(const w2v_pair_table *table, int64_t n_new)
{
    return 10 * (table->n_used + n_new) <= 7 * table->n_slots;
}

/* The start that a start and a connector word make; there must be room. */
static uint64_t longer_start(w2v_pair_table *table, uint64_t start, int32_t connector)
{
    uint64_t key = pair_key(start, connector);
    w2v_pair *pair = find(table, key, hash_of(table, key));
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
    __builtin_prefetch(&table->slots[first_slot(table, hash_of(table, key))], 1);
}

static inline int at_end(const w2v_stretch *stretch)
{
    return stretch->n_ends_past < stretch->n_ends &&
           stretch->ends[stretch->n_ends_past] == stretch->position;
}

static inline int is_of_share(uint64_t hash, int share, int n_shares)
{
    return (int)((hash >> 56) * (uint64_t)n_shares >> 8) == share;
}

/* The keys of a batch's pairs, and of the longer starts that lead to them. */
typedef struct {
    const int32_t *word_ids;
    const uint8_t *is_connector;
    int64_t n_ids;
    uint8_t begins[PAIR_BATCH];    /* whether a sentence begins at this token */
    int positions[PAIR_BATCH];     /* (n_walks,) of the connectors that lengthen starts */
    uint64_t starts[PAIR_BATCH];   /* (n_walks,) */
    uint64_t keys[PAIR_BATCH + 1]; /* one that may be of another share is written and left */
    int n_walks, n_keys;
} batch_t;

/* Note that the connector at a place lengthens a start. */
static inline void walk(const w2v_pair_table *table, batch_t *batch, uint64_t start, int pos)
{
    fetch(table, pair_key(start, batch->word_ids[pos]));
    batch->starts[batch->n_walks] = start;
    batch->positions[batch->n_walks++] = pos;
}

/* Collect this share's pairs without connectors, and note where longer starts begin. A longer start
   belongs to the share of its first word. */
static void collect(const w2v_pair_table *table, w2v_stretch *stretch, batch_t *batch, int share,
                    int n_shares)
{
    int64_t start = stretch->start;
    memset(batch->begins, 0, sizeof(batch->begins));
    batch->n_walks = batch->n_keys = 0;
    for (int i = 0; i < batch->n_ids; i++, stretch->position++) {
        if (at_end(stretch)) {
            stretch->n_ends_past++;
            start = -1;
            batch->begins[i] = 1;
        }
        int32_t word = batch->word_ids[i];
        int is_long = start >= (int64_t)W2V_FIRST_LONG_START;
        if (batch->is_connector[word]) {
            if (is_long ||
                (start >= 0 && is_of_share(hash_of(table, (uint64_t)start + 1), share, n_shares)))
                walk(table, batch, (uint64_t)start, i);
            start = -1;
            continue;
        }
        /* No branch: whether a pair is of this share cannot be predicted. */
        uint64_t key = pair_key((uint64_t)start, word);
        batch->keys[batch->n_keys] = key;
        int is_ours = is_long | is_of_share(hash_of(table, key), share, n_shares);
        batch->n_keys += (start >= 0) & is_ours;
        start = word;
    }
    stretch->start = start;
}

/* Lengthen all starts by one connector at a time, so that their cache misses overlap. */
static void finish_walks(w2v_pair_table *table, w2v_stretch *stretch, batch_t *batch)
{
    while (batch->n_walks) {
        int n_walks = batch->n_walks;
        batch->n_walks = 0;
        for (int i = 0; i < n_walks; i++) {
            int pos = batch->positions[i] + 1;
            uint64_t start = longer_start(table, batch->starts[i], batch->word_ids[pos - 1]);
            if (pos == batch->n_ids)
                stretch->start = (int64_t)start;
            else if (batch->begins[pos])
                continue;
            else if (batch->is_connector[batch->word_ids[pos]])
                walk(table, batch, start, pos);
            else
                batch->keys[batch->n_keys++] = pair_key(start, batch->word_ids[pos]);
        }
    }
}

int w2v_count_pairs(w2v_pair_table *table, w2v_stretch *stretch, int share, int n_shares)
{
    batch_t batch = {.is_connector = stretch->is_connector};
    while (stretch->position < stretch->n_ids) {
        if (!has_room(table, PAIR_BATCH))
            return W2V_PAIRS_FULL;
        if (table->n_long + PAIR_BATCH > table->max_long)
            return W2V_STARTS_FULL;
        batch.word_ids = stretch->word_ids + stretch->position;
        batch.n_ids = stretch->n_ids - stretch->position;
        batch.n_ids = batch.n_ids < PAIR_BATCH ? batch.n_ids : PAIR_BATCH;
        collect(table, stretch, &batch, share, n_shares);
        finish_walks(table, stretch, &batch);
        for (int i = 0; i < batch.n_keys; i++)
            fetch(table, batch.keys[i]);
        for (int i = 0; i < batch.n_keys; i++) {
            w2v_pair *pair = find(table, batch.keys[i], hash_of(table, batch.keys[i]));
            table->n_used += pair->key == 0;
            pair->key = batch.keys[i];
            pair->value++;
        }
    }
    if (at_end(stretch)) {
        stretch->n_ends_past++;
        stretch->start = -1;
    }
    return W2V_PAIRS_DONE;
}

static inline uint64_t *filter_word(const w2v_pair_table *table, uint64_t hash)
{
    return &table->filter[(int64_t)(hash >> 24) & (table->n_filter - 1)];
}

static inline uint64_t filter_bit(uint64_t hash)
{
    return (uint64_t)1 << (hash >> 18 & 63);
}

static void put(w2v_pair_table *table, uint64_t key, int64_t value)
{
    *find(table, key, hash_of(table, key)) = (w2v_pair){key, value};
    table->n_used++;
}

void w2v_add_pairs(w2v_pair_table *table, const uint64_t *keys, const int64_t *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t hash = hash_of(table, keys[i]);
        put(table, keys[i], values[i]);
        *filter_word(table, hash) |= filter_bit(hash);
    }
}

void w2v_move_pairs(w2v_pair_table *table, const w2v_pair_table *from)
{
    for (int64_t i = 0; i < from->n_slots; i++)
        if (from->slots[i].key)
            put(table, from->slots[i].key, from->slots[i].value);
}

int64_t w2v_select_pairs(const w2v_pair_table *table, const uint8_t *is_connector,
                         w2v_selected *out)
{
    int64_t n_found = 0;
    for (int64_t i = 0; i < table->n_slots; i++) {
        const w2v_pair *pair = &table->slots[i];
        uint64_t start = (pair->key - 1) >> W2V_WORD_BITS;
        uint64_t word = (pair->key - 1) & (W2V_FIRST_LONG_START - 1);
        if (pair->value < out->least || pair->key == 0 || is_connector[word])
            continue;
        out->starts[n_found] =
            start + (start >= W2V_FIRST_LONG_START ? (uint64_t)out->first_long : 0);
        out->words[n_found] = (int64_t)word;
        out->counts[n_found++] = pair->value;
    }
    return n_found;
}

/* ---- merging ---- */

/* Most pairs are in no phrase, which one load from a filter, mostly in cache, can tell. */
static inline const w2v_pair *look_up(const w2v_pair_table *table, uint64_t key)
{
    uint64_t hash = hash_of(table, key);
    if (!(*filter_word(table, hash) & filter_bit(hash)))
        return NULL;
    const w2v_pair *pair = find(table, key, hash);
    return pair->key ? pair : NULL;
}

void w2v_merge_pairs(const w2v_pair_table *table, w2v_stretch *stretch, w2v_merged *out)
{
    int64_t start = -1, begin = 0, n_before = 0; /* of the start: position, ids before it */
    for (;; stretch->position++) {
        if (at_end(stretch)) {
            out->ends[out->n_ends++] = out->n_ids;
            stretch->n_ends_past++;
            start = -1;
        }
        if (stretch->position == stretch->n_ids)
            break;
        int32_t word = stretch->word_ids[stretch->position];
        const w2v_pair *pair = NULL;
        if (start >= 0)
            pair = look_up(table, pair_key((uint64_t)start, word));
        out->word_ids[out->n_ids++] = word;
        if (stretch->is_connector[word]) {
            start = pair ? pair->value : -1; /* no phrase begins like this */
        } else if (pair) {
            out->word_ids[n_before] = (int32_t)pair->value;
            out->n_ids = n_before + 1;
            out->n_phrases++;
            start = -1;
        } else {
            begin = stretch->position;
            n_before = out->n_ids - 1;
            start = word;
        }
    }
    if (start >= 0) { /* a phrase that the next stretch may end */
        stretch->position = begin;
        out->n_ids = n_before;
    }
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
