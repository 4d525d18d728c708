/* Text to word ids: split, hash, count, and drop pruned words.
   Python owns all memory named here. A call that runs out of room says what is short and changes
   nothing past the position it reports. Python makes room and calls again. */
#ifndef W2V_TOKENS_H
#define W2V_TOKENS_H

#include "text/hash_key.h"

#include <stdint.h>

enum {
    W2V_WORD_BATCH = 128, /* words found, then looked up, at a time; outputs need so much room */
    W2V_MAX_WORD_BYTES = 1 << 16, /* no word of a language has so many; binary data has */
    W2V_ARENA_PADDING = 16, /* bytes after the last word: any word may be loaded as 16 bytes */
    W2V_SLOTS_PER_WORD = 2 /* a table has at least so many slots for each of its words */
};

enum { W2V_DONE = 0, W2V_TABLE_FULL = 1, W2V_ARENA_FULL = 2, W2V_OUTPUT_FULL = 3 };

/* Every distinct word in order of first appearance. Used by one thread at a time. */
typedef struct {
    uint64_t *slots;   /* (n_slots,) a power of two: hash tag << 32 | (word id + 1); 0 is free */
    int64_t *offsets;  /* (max_words + 1,) word i is arena[offsets[i]:offsets[i + 1]] */
    int64_t *counts;   /* (max_words,) */
    uint8_t *arena;    /* (max_arena_bytes + W2V_ARENA_PADDING,) bytes of all words, end to end */
    int64_t n_slots, max_words, max_arena_bytes;
    int64_t n_words;   /* <= max_words, <= n_slots / W2V_SLOTS_PER_WORD */
    w2v_hash_key key;
} w2v_words;

/* A block of text that neither begins nor ends inside a word. */
typedef struct {
    const uint8_t *bytes; /* (n_bytes,), no byte past them is read */
    int64_t n_bytes;
    int64_t position;     /* bytes done so far; never inside a word */
} w2v_text;

/* Where the encoded block goes. */
typedef struct {
    int32_t *word_ids; /* (max_ids,) */
    int64_t *ends;     /* (max_ends,) ascending: tokens of this block before each sentence's end. A
                          first end of 0 closes the sentence that the block before left open */
    int64_t max_ids, max_ends;
    int64_t n_ids, n_ends;
    int64_t n_too_long; /* words skipped */
} w2v_encoded;

/* Split on ASCII white space, count, append ids. A newline ends a sentence that is not empty. Words
   of more than W2V_MAX_WORD_BYTES are skipped. */
int w2v_encode_text(w2v_words *words, w2v_text *text, w2v_encoded *out);

/* Add words [*position, last) of `from` with their counts, and put their ids in new_ids
   (from->n_words,). */
int w2v_merge_words(w2v_words *words, const w2v_words *from, int64_t *position, int64_t last,
                    int32_t *new_ids);

/* Fill `slots`, all zero at entry, from the words. */
void w2v_rehash(w2v_words *words);

/* counts[word_ids[i]] += 1 */
void w2v_count_ids(const int32_t *word_ids, int64_t n_ids, int64_t *counts);

/* Replace every id by new_ids[id] in place. Drops ids below 0 and sentences that become empty. */
void w2v_remap_ids(w2v_encoded *encoded, const int32_t *new_ids);

#endif
