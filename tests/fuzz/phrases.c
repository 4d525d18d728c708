/* Pairs of words: without connector words, the table holds what counting one by one finds. */
#include "fuzz.h"
#include "text/phrases.h"

enum { N_WORDS = 16, MAX_IDS = 2000 };

/* A corpus: the low four bits of a byte are a word, the top bit ends a sentence. */
typedef struct {
    int32_t *word_ids;
    int64_t *ends;
    int64_t n_ids, n_ends;
    uint8_t is_connector[N_WORDS];
    int n_connectors;
} corpus;

static corpus read_corpus(const uint8_t *data, size_t size)
{
    corpus c = {.n_ids = size < MAX_IDS ? (int64_t)size : MAX_IDS};
    c.word_ids = room_for(c.n_ids, sizeof(int32_t));
    c.ends = room_for(c.n_ids, sizeof(int64_t));
    for (int64_t i = 0; i < c.n_ids; i++) {
        c.word_ids[i] = data[i] & 15;
        if (data[i] >> 7)
            c.ends[c.n_ends++] = i + 1;
    }
    return c;
}

static w2v_stretch stretch_of(const corpus *c)
{
    return (w2v_stretch){.word_ids = c->word_ids, .ends = c->ends, .n_ids = c->n_ids,
                         .n_ends = c->n_ends, .is_connector = c->is_connector, .start = -1};
}

static w2v_pair_table empty_table(int64_t n_slots, int64_t max_long)
{
    w2v_pair_table table = {.n_slots = n_slots, .max_long = max_long};
    table.slots = calloc((size_t)n_slots, sizeof(w2v_pair));
    table.long_keys = room_for(max_long, sizeof(uint64_t));
    MUST(table.slots != NULL);
    return table;
}

static void free_table(w2v_pair_table *table)
{
    free(table->slots), free(table->long_keys), free(table->filter);
}

/* Count one share, growing the table as Python does. */
static w2v_pair_table count_share(const corpus *c, int share, int n_shares)
{
    w2v_pair_table table = empty_table(PAIR_BATCH + 2, 1);
    w2v_stretch stretch = stretch_of(c);
    int code;
    while ((code = w2v_count_pairs(&table, &stretch, share, n_shares)) != W2V_PAIRS_DONE) {
        MUST(code == W2V_PAIRS_FULL || code == W2V_STARTS_FULL);
        w2v_pair_table larger = empty_table(2 * table.n_slots, 2 * table.max_long + PAIR_BATCH);
        larger.n_long = table.n_long;
        memcpy(larger.long_keys, table.long_keys, (size_t)table.n_long * sizeof(uint64_t));
        w2v_move_pairs(&larger, &table);
        free_table(&table);
        table = larger;
    }
    MUST(stretch.position == c->n_ids);
    return table;
}

static void count_naively(const corpus *c, int64_t expected[N_WORDS][N_WORDS])
{
    for (int64_t i = 1, end = 0; i < c->n_ids; i++) {
        while (end < c->n_ends && c->ends[end] < i)
            end++;
        int is_first = end < c->n_ends && c->ends[end] == i;
        expected[c->word_ids[i - 1]][c->word_ids[i]] += !is_first;
    }
}

static void check_counts(const corpus *c, int n_shares)
{
    int64_t expected[N_WORDS][N_WORDS] = {{0}}, n_found = 0, n_expected = 0;
    count_naively(c, expected);
    for (int share = 0; share < n_shares; share++) {
        w2v_pair_table table = count_share(c, share, n_shares);
        int64_t n = table.n_used - table.n_long;
        w2v_selected out = {.least = 1};
        out.starts = room_for(n, sizeof(uint64_t));
        out.words = room_for(n, sizeof(int64_t));
        out.counts = room_for(n, sizeof(int64_t));
        n = w2v_select_pairs(&table, c->is_connector, &out);
        for (int64_t i = 0; i < n && c->n_connectors == 0; i++) {
            MUST(out.starts[i] < N_WORDS && out.words[i] < N_WORDS);
            MUST(out.counts[i] == expected[out.starts[i]][out.words[i]]);
        }
        n_found += n;
        free(out.starts), free(out.words), free(out.counts), free_table(&table);
    }
    for (int i = 0; i < N_WORDS * N_WORDS; i++)
        n_expected += expected[i / N_WORDS][i % N_WORDS] > 0;
    MUST(c->n_connectors > 0 || n_found == n_expected);
}

/* Join words 0 and 1, and write what is left. */
static void check_merge(const corpus *c)
{
    w2v_pair_table table = empty_table(4, 0);
    uint64_t key = 1 + 1; /* start 0, word 1 */
    int64_t joined = N_WORDS;
    table.n_filter = 1, table.filter = calloc(1, sizeof(uint64_t));
    w2v_add_pairs(&table, &key, &joined, 1);
    w2v_stretch stretch = stretch_of(c);
    w2v_merged merged = {.word_ids = room_for(c->n_ids, sizeof(int32_t)),
                         .ends = room_for(c->n_ends, sizeof(int64_t))};
    w2v_merge_pairs(&table, &stretch, &merged);
    MUST(merged.n_ids + merged.n_phrases == stretch.position && stretch.position <= c->n_ids);
    MUST(merged.n_ends <= c->n_ends);
    for (int64_t i = 0; i < merged.n_ids; i++)
        MUST(merged.word_ids[i] >= 0 && merged.word_ids[i] <= N_WORDS);
    int64_t offsets[N_WORDS + 2];
    for (int i = 0; i < N_WORDS + 2; i++)
        offsets[i] = i;
    uint8_t *arena = copy_of((const uint8_t *)"abcdefghijklmnopq", N_WORDS + 1);
    uint8_t *text = room_for(5, 1);
    w2v_stretch rest = {.word_ids = merged.word_ids, .ends = merged.ends, .n_ids = merged.n_ids,
                        .n_ends = merged.n_ends, .start = -1};
    while (rest.position < rest.n_ids) {
        w2v_sentence_writer writer = {.arena = arena, .offsets = offsets, .text = text,
                                      .max_bytes = 5};
        w2v_write_sentences(&writer, &rest);
        MUST(writer.n_bytes > 0 && writer.n_bytes <= 5);
    }
    free(text), free(arena), free(merged.word_ids), free(merged.ends), free_table(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    corpus c = read_corpus(data + 3, size - 3);
    for (int i = 0; i < N_WORDS; i++)
        c.n_connectors += c.is_connector[i] = data[2] >> 7 && (data[i / 8] >> i % 8 & 1);
    check_counts(&c, 1 + data[2] % 3);
    if (c.n_connectors == 0)
        check_merge(&c);
    free(c.word_ids), free(c.ends);
    return 0;
}
