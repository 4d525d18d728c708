/* Pairs of words that follow each other, with any number of connector words between them.
   A `start` is a word, or a start followed by a connector word; a pair is a start and the word that
   ends it. Python owns all memory named here. */
#ifndef W2V_PHRASES_H
#define W2V_PHRASES_H

#include "text/hash_key.h"

#include <stdint.h>

enum {
    W2V_WORD_BITS = 31,        /* of a word id in the key of a pair */
    W2V_MAX_PAIR_SHARES = 256, /* a share is chosen by the top 8 bits of a hash */
    PAIR_BATCH = 256           /* tokens looked up at a time; a table needs room for so many */
};

enum { W2V_PAIRS_DONE = 0, W2V_PAIRS_FULL = 1, W2V_STARTS_FULL = 2 };

/* Starts that are longer than a word are numbered from here on. */
#define W2V_FIRST_LONG_START ((uint64_t)1 << W2V_WORD_BITS)

/* key = (start << W2V_WORD_BITS | word) + 1, 0 where free.  value: the count of the pair, or the
   word that replaces it; if the word is a connector, the start that the two make. */
typedef struct {
    uint64_t key;
    int64_t value;
} w2v_pair;

typedef struct {
    w2v_pair *slots;     /* (n_slots,) */
    uint64_t *long_keys; /* (max_long,) the key of each start that is longer than a word */
    int64_t n_slots, n_used, max_long, n_long;
    uint64_t *filter;    /* (n_filter,) a power of two: one bit for each key added; to merge */
    int64_t n_filter;
    w2v_hash_key key;    /* the same for all shares */
} w2v_pair_table;

/* A part of the stream of word ids. */
typedef struct {
    const int32_t *word_ids;      /* (n_ids,) */
    const int64_t *ends;          /* (n_ends,) ascending, > 0: ids before each sentence's end */
    const uint8_t *is_connector;  /* (n_words,) */
    int64_t n_ids, n_ends;
    int64_t position, n_ends_past; /* ids and ends done so far */
    int64_t start;                /* of a pair, -1 for none */
} w2v_stretch;

/* The ids after phrases replaced their words. */
typedef struct {
    int32_t *word_ids; /* (stretch->n_ids,) */
    int64_t *ends;     /* (stretch->n_ends,) */
    int64_t n_ids, n_ends, n_phrases;
} w2v_merged;

/* The selected pairs. */
typedef struct {
    uint64_t *starts; /* (n_used - n_long,) */
    int64_t *words;   /* (n_used - n_long,) */
    int64_t *counts;  /* (n_used - n_long,) */
    int64_t least, first_long; /* added to the numbers of starts that are longer than a word */
} w2v_selected;

/* Words, and the text that they are written to. */
typedef struct {
    const uint8_t *arena;   /* the words end to end */
    const int64_t *offsets; /* (n_words + 1,) */
    uint8_t *text;          /* (max_bytes,) */
    int64_t max_bytes, n_bytes;
} w2v_sentence_writer;

/* Count the pairs whose hash is in `share` of n_shares <= W2V_MAX_PAIR_SHARES ranges, and of those
   whose start is longer than a word the ones whose first word's hash is; such starts enter the
   table. */
int w2v_count_pairs(w2v_pair_table *table, w2v_stretch *stretch, int share, int n_shares);

/* Put every pair of `from` into an empty table with room for them. */
void w2v_move_pairs(w2v_pair_table *table, const w2v_pair_table *from);

/* Copy the pairs whose word is no connector and whose value is at least `least`. Returns how many
   there are. */
int64_t w2v_select_pairs(const w2v_pair_table *table, const uint8_t *is_connector,
                         w2v_selected *out);

/* Add pairs with their values; there is room.  keys are distinct and not in the table. */
void w2v_add_pairs(w2v_pair_table *table, const uint64_t *keys, const int64_t *values, int64_t n);

/* Replace each pair in the table by its value, from the left. Stops before a phrase that the end of
   the stretch may cut: position says how far it came. */
void w2v_merge_pairs(const w2v_pair_table *table, w2v_stretch *stretch, w2v_merged *out);

/* Write sentences, a space between words, until the text is full. The next call continues the
   sentence. */
void w2v_write_sentences(w2v_sentence_writer *writer, w2v_stretch *stretch);

#endif
