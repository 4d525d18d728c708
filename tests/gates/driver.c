/* Trains through the C interface alone, for checkers that a Python process is too large for: every
   objective, skip-gram and CBOW, with 1, 2 and 3 threads that share the rows, while the main thread
   reads the counters. Each array is a heap block of its exact size, so that its ends are watched.

   driver [BACKEND ...]: these kernels, by default all that the CPU runs. Exits with 1 and a line on
   stderr if a result is wrong. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/api.h"
#include "core/rng.h"
#include "merge.h"
#include "tables.h"

enum {
    N_WORDS = 48,
    N_TOKENS = 1500,
    CHUNK_TOKENS = 180,
    MARGIN = 12,
    N_EPOCHS = 2,
    MAX_THREADS = 3
};

/* What is trained, apart from the objective. */
typedef struct {
    const char *name;
    int64_t dim;
    int32_t centres, contexts, interleaved_steps, n_replicated;
    int has_bias, has_in_bias, has_frozen, has_pairs;
    int is_full; /* 1: all windows are whole, so that blocks reach as far as scratch allows */
} variant;

static const variant VARIANTS[] = {
    {"full windows", 19, 8, 4, 1, 0, 0, 0, 0, 0, 1},
    {"one centre", 33, 1, 3, 1, 0, 0, 0, 0, 0, 0},
    {"large blocks", 40, 24, 4, 3, 0, 0, 0, 0, 0, 1},
    {"replicas", 20, 8, 4, 2, 16, 0, 0, 0, 0, 0},
    {"biases", 17, 8, 4, 2, 16, 1, 1, 0, 0, 0},
    {"frozen", 16, 8, 4, 1, 16, 0, 0, 1, 0, 0},
    {"pairs", 20, 8, 4, 1, 16, 1, 1, 1, 1, 0},
};

static void fail(const char *what, const char *where)
{
    fprintf(stderr, "driver: %s: %s\n", where, what);
    exit(1);
}

/* A heap block, zeroed. */
static void *zeros(int64_t n, size_t item_bytes)
{
    void *block;
    size_t n_bytes = (size_t)n * item_bytes;
    if (posix_memalign(&block, W2V_CACHE_LINE, n_bytes ? n_bytes : 1))
        fail("no memory", "zeros");
    return memset(block, 0, n_bytes);
}

static uint64_t draw(uint64_t n)
{
    static uint64_t counter;
    return draw64(20130116, counter++) % n;
}

/* A heap copy of n items. */
static void *copy_of(const void *items, int64_t n, size_t item_bytes)
{
    return memcpy(zeros(n, item_bytes), items, (size_t)n * item_bytes);
}

/* --- sgemm, for the full softmax --- */

#ifdef W2V_ATOMIC_ROWS
static float get(const float *p)
{
    float x;
    __atomic_load(p, &x, __ATOMIC_RELAXED);
    return x;
}
static void set(float *p, float x) { __atomic_store(p, &x, __ATOMIC_RELAXED); }
#else
static float get(const float *p) { return *p; }
static void set(float *p, float x) { *p = x; }
#endif

static void sgemm(char *trans_a, char *trans_b, int *m, int *n, int *k, float *alpha, float *a,
                  int *lda, float *b, int *ldb, float *beta, float *c, int *ldc)
{
    for (int column = 0; column < *n; column++)
        for (int row = 0; row < *m; row++) {
            float sum = 0, *to = c + (int64_t)column * *ldc + row;
            for (int i = 0; i < *k; i++)
                sum += get(a + (*trans_a == 'N' ? (int64_t)i * *lda + row
                                                : (int64_t)row * *lda + i)) *
                       get(b + (*trans_b == 'N' ? (int64_t)column * *ldb + i
                                                : (int64_t)i * *ldb + column));
            set(to, *alpha * sum + (*beta == 0 ? 0 : *beta * get(to)));
        }
}

/* --- the model and the corpus --- */

typedef struct {
    w2v_model model;
    w2v_worker worker[MAX_THREADS];
    const w2v_backend *backend;
    int32_t *token;        /* (N_TOKENS,) */
    int64_t *sentence_end; /* (n_sentences,) */
    int64_t n_sentences;
    float *pair_weight;    /* (N_TOKENS / 2,) or NULL */
    _Atomic int64_t next_chunk;
    _Atomic int n_running;
    uint64_t epoch_key;
} training;

static void make_corpus(training *t, int has_pairs)
{
    t->token = zeros(N_TOKENS, sizeof *t->token);
    for (int64_t i = 0; i < N_TOKENS; i++)
        t->token[i] = (int32_t)(draw(3) ? draw(N_WORDS / 4) : draw(N_WORDS));
    t->token[7] = N_WORDS - 1; /* the last row is trained */
    t->sentence_end = zeros(N_TOKENS, sizeof *t->sentence_end);
    for (int64_t end = 0; end < N_TOKENS;) {
        end += 1 + (int64_t)draw(draw(8) ? 20 : 150); /* some of one word, some past a chunk */
        t->sentence_end[t->n_sentences++] = end;
    }
    if (has_pairs) {
        t->pair_weight = zeros(N_TOKENS / 2, sizeof *t->pair_weight);
        for (int64_t i = 0; i < N_TOKENS / 2; i++)
            t->pair_weight[i] = 0.5f + (float)draw(100) / 100;
    }
}

static float *make_rows(int64_t n_rows, const w2v_model *m, float scale)
{
    float *rows = zeros(n_rows * m->stride_floats, sizeof *rows);
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t d = 0; d < m->dim; d++)
            rows[i * m->stride_floats + d] = scale * ((float)draw(2001) / 1000 - 1);
    return rows;
}

static void make_noise(w2v_model *m)
{
    w2v_alias_column *columns = zeros(N_WORDS, sizeof *columns);
    double *weights = zeros(N_WORDS, sizeof *weights);
    int32_t *work = zeros(N_WORDS, sizeof *work);
    for (int64_t i = 0; i < N_WORDS; i++)
        weights[i] = i < N_WORDS / 2 ? 1.5 : 0.5;
    w2v_build_alias(weights, N_WORDS, work, columns);
    m->noise = columns;
    free(weights), free(work);
}

static void make_paths(w2v_model *m)
{
    int64_t n = N_WORDS, counts[N_WORDS], weights[N_WORDS - 1];
    int32_t parent[2 * N_WORDS - 1], leaf[N_WORDS];
    uint8_t bit[2 * N_WORDS - 1];
    for (int32_t i = 0; i < n; i++)
        counts[i] = 4000 / (i + 1), leaf[i] = i;
    w2v_huffman_tree(counts, n, weights, parent, bit);
    int64_t *begin = zeros(n + 1, sizeof *begin);
    int32_t *steps = zeros(w2v_huffman_begin(n, parent, leaf, begin), sizeof *steps);
    w2v_huffman_paths(n, parent, bit, leaf, begin, steps);
    for (int64_t i = 0; i < n; i++)
        if (begin[i + 1] - begin[i] > m->longest_path)
            m->longest_path = (int32_t)(begin[i + 1] - begin[i]);
    m->path_begin = begin, m->path_steps = steps;
}

static void make_replicas(w2v_model *m, int64_t n)
{
    float *share = zeros(n, sizeof *share);
    for (int64_t i = 0; i < n; i++)
        share[i] = 0.75f;
    m->n_replicated_in = m->n_replicated_out = n;
    m->in_flush_share = share, m->out_flush_share = copy_of(share, n, sizeof *share);
    if (m->n_nodes)
        m->first_replicated_out = m->n_nodes - n;
}

static void make_model(w2v_model *m, const variant *v, int32_t objective, int32_t is_cbow)
{
    *m = (w2v_model){.n_words = N_WORDS, .dim = v->dim, .objective = objective};
    m->is_cbow = is_cbow;
    m->stride_floats = (v->dim + W2V_ROW_FLOATS - 1) / W2V_ROW_FLOATS * W2V_ROW_FLOATS;
    m->n_nodes = objective & W2V_HIERARCHICAL_SOFTMAX ? N_WORDS - 1 : 0;
    m->n_outputs = m->n_nodes + (objective == W2V_HIERARCHICAL_SOFTMAX ? 0 : N_WORDS);
    m->window_left = v->is_full ? 5 : 3, m->window_right = m->max_reach = 5;
    m->shrink_windows = !v->is_full, m->negative = 5, m->loss_every = 2, m->sync_centres = 20;
    m->largest = (w2v_block){v->centres, v->contexts, v->contexts, 16, 2, v->interleaved_steps};
    m->prefetch_for_write = 1, m->cbow_rate = 1, m->in_bias_limit = 0.1f;
    m->cbow_sum = v->has_bias, m->cbow_divide = !v->has_bias;
    m->in_rows = make_rows(N_WORDS, m, 0.1f);
    m->out_rows = make_rows(m->n_outputs, m, 0.01f);
    m->out_bias = v->has_bias ? zeros(m->n_outputs, sizeof(float)) : NULL;
    m->in_bias = v->has_in_bias ? zeros(m->stride_floats, sizeof(float)) : NULL;
    uint32_t *keep = zeros(N_WORDS, sizeof *keep);
    uint8_t *frozen = v->has_frozen ? zeros(N_WORDS, 1) : NULL;
    for (int64_t i = 0; i < N_WORDS; i++) {
        keep[i] = i < 3 ? UINT32_MAX / 2 : UINT32_MAX;
        if (frozen)
            frozen[i] = i % 3 == 0;
    }
    m->keep_threshold = keep, m->frozen = frozen;
    if (objective & W2V_NEGATIVE_SAMPLING)
        make_noise(m);
    if (objective & W2V_HIERARCHICAL_SOFTMAX)
        make_paths(m);
    if (objective == W2V_SOFTMAX)
        m->sgemm = sgemm;
    if (v->n_replicated && objective != W2V_SOFTMAX)
        make_replicas(m, v->n_replicated);
}

static void free_training(training *t, int n_threads)
{
    w2v_model *m = &t->model;
    for (int i = 0; i < n_threads; i++) {
        free(t->worker[i].scratch);
        free(t->worker[i].touched_in), free(t->worker[i].touched_out);
    }
    free(m->in_rows), free(m->out_rows), free(m->out_bias), free(m->in_bias);
    free((void *)m->frozen), free((void *)m->keep_threshold), free((void *)m->noise);
    free((void *)m->path_begin), free((void *)m->path_steps);
    free((void *)m->in_flush_share), free((void *)m->out_flush_share);
    free(t->token), free(t->sentence_end), free(t->pair_weight);
}

/* --- training --- */

static int64_t clip(int64_t pos) { return pos < 0 ? 0 : pos > N_TOKENS ? N_TOKENS : pos; }

/* Train a chunk of exact copies, with margins unless it is of pairs. */
static void train_chunk(training *t, w2v_worker *w, int64_t number)
{
    int64_t margin = t->pair_weight ? 0 : MARGIN;
    int64_t begin = number * CHUNK_TOKENS, end = clip(begin + CHUNK_TOKENS);
    int64_t first = clip(begin - margin), n_tokens = clip(end + margin) - first;
    int64_t first_end = 0;
    while (t->sentence_end[first_end] <= first)
        first_end++;
    int64_t n_ends = 1;
    while (t->sentence_end[first_end + n_ends - 1] < first + n_tokens)
        n_ends++;
    int32_t *ids = copy_of(t->token + first, n_tokens, sizeof *ids);
    int64_t *ends = copy_of(t->sentence_end + first_end, n_ends, sizeof *ends);
    float *weights = t->pair_weight ? copy_of(t->pair_weight + first / 2, n_tokens / 2,
                                              sizeof *weights) : NULL;
    w2v_chunk c = {.word_ids = ids, .sentence_ends = ends, .n_tokens = n_tokens, .n_ends = n_ends};
    c.first_token = first, c.centre_begin = begin - first, c.centre_end = end - first;
    c.pair_weights = weights, c.epoch_key = t->epoch_key, c.block = t->model.largest;
    c.lr = 0.02f;
    t->backend->train_chunk(&t->model, w, &c);
    free(ids), free(ends), free(weights);
}

typedef struct {
    training *t;
    w2v_worker *worker;
} job;

static void *work(void *of)
{
    job *j = of;
    for (int64_t i; (i = j->t->next_chunk++) * CHUNK_TOKENS < N_TOKENS;)
        train_chunk(j->t, j->worker, i);
    j->t->n_running--;
    return NULL;
}

/* Read the counters as progress reports and checkpoints do. */
static double read_counters(const training *t, int n_threads)
{
    double sum = 0;
    for (int i = 0; i < n_threads; i++) {
        w2v_counters done = w2v_read_counters(t->worker + i);
        sum += (double)(done.n_trained + done.n_subsampled + done.n_predictions);
        sum += (double)done.n_loss_predictions + done.loss_sum;
    }
    return sum;
}

static void train_epoch(training *t, int n_threads)
{
    pthread_t thread[MAX_THREADS];
    job jobs[MAX_THREADS];
    double seen = 0;
    t->next_chunk = 0;
    t->n_running = n_threads;
    for (int i = 0; i < n_threads; i++) {
        jobs[i] = (job){t, t->worker + i};
        if (pthread_create(thread + i, NULL, work, jobs + i))
            fail("cannot start a thread", "train_epoch");
    }
    while (t->n_running) {
        double now = read_counters(t, n_threads);
        if (!(now >= seen))
            fail("a counter fell", "train_epoch");
        seen = now;
        nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    for (int i = 0; i < n_threads; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < n_threads; i++)
        t->backend->flush_replicas(&t->model, t->worker + i);
}

static void check_rows(const float *rows, int64_t n_rows, const w2v_model *m, const char *where)
{
    for (int64_t i = 0; i < n_rows * m->stride_floats; i++)
        if (!isfinite(rows[i]) || (i % m->stride_floats >= m->dim && rows[i] != 0))
            fail("a row is not finite, or its padding not zero", where);
}

static void check_results(const training *t, int n_threads, const char *where)
{
    int64_t n_seen = 0, n_predictions = 0;
    for (int i = 0; i < n_threads; i++) {
        w2v_counters done = w2v_read_counters(t->worker + i);
        n_seen += done.n_trained + done.n_subsampled;
        n_predictions += done.n_predictions;
    }
    if (n_seen != (int64_t)N_EPOCHS * N_TOKENS || n_predictions < N_TOKENS / 4)
        fail("tokens are missing", where);
    check_rows(t->model.in_rows, N_WORDS, &t->model, where);
    check_rows(t->model.out_rows, t->model.n_outputs, &t->model, where);
}

static void run(const w2v_backend *backend, const variant *v, int32_t objective, int32_t is_cbow,
                int n_threads)
{
    static const char *const NAMES[] = {"", "ns", "hs", "hs+ns", "softmax"};
    char where[200];
    snprintf(where, sizeof where, "%s, %s, %s, %s, %d threads", backend->name, NAMES[objective],
             is_cbow ? "cbow" : "skip-gram", v->name, n_threads);
    training t = {.backend = backend};
    make_model(&t.model, v, objective, is_cbow);
    make_corpus(&t, v->has_pairs);
    for (int i = 0; i < n_threads; i++) {
        w2v_worker *w = t.worker + i;
        w->scratch = zeros(w2v_scratch_bytes(&t.model, CHUNK_TOKENS + 2 * MARGIN), 1);
        w->touched_in = v->has_bias ? zeros(N_WORDS, 1) : NULL;
        w->touched_out = v->has_bias ? zeros(t.model.n_outputs, 1) : NULL;
    }
    for (t.epoch_key = 1; t.epoch_key <= N_EPOCHS; t.epoch_key++)
        train_epoch(&t, n_threads);
    check_results(&t, n_threads, where);
    free_training(&t, n_threads);
}

static void run_all(const w2v_backend *backend)
{
    for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++)
        for (int32_t objective = W2V_NEGATIVE_SAMPLING; objective <= W2V_SOFTMAX; objective++)
            for (int32_t is_cbow = 0; is_cbow < 2 - VARIANTS[i].has_pairs; is_cbow++)
                for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
                    run(backend, VARIANTS + i, objective, is_cbow, n_threads);
}

/* --- deterministic rounds --- */

typedef struct {
    const w2v_merge *merge;
    int64_t part;
} merge_job;

static void *merge_part(void *of)
{
    const merge_job *j = of;
    w2v_merge_rows(j->merge, j->part, MAX_THREADS);
    return NULL;
}

static void merge_all(void)
{
    enum { N_ROWS = 200, STRIDE = 32 };
    float *copies[MAX_THREADS], *rows = zeros(N_ROWS * STRIDE, sizeof *rows);
    float *gain = zeros(N_ROWS, sizeof *gain);
    uint8_t *touched[MAX_THREADS];
    for (int64_t i = 0; i < N_ROWS; i++)
        gain[i] = 1;
    for (int c = 0; c < MAX_THREADS; c++) {
        copies[c] = zeros(N_ROWS * STRIDE, sizeof *rows);
        touched[c] = memset(zeros(N_ROWS, 1), 1, N_ROWS);
        for (int64_t i = 0; i < N_ROWS * STRIDE; i++)
            copies[c][i] = (float)(c + 1);
    }
    w2v_merge m = {rows, copies, touched, gain, N_ROWS, MAX_THREADS, STRIDE, 0};
    pthread_t thread[MAX_THREADS];
    merge_job jobs[MAX_THREADS];
    for (int i = 0; i < MAX_THREADS; i++) {
        jobs[i] = (merge_job){&m, i};
        if (pthread_create(thread + i, NULL, merge_part, jobs + i))
            fail("cannot start a thread", "merge_all");
    }
    for (int i = 0; i < MAX_THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int64_t i = 0; i < N_ROWS * STRIDE; i++)
        if (rows[i] != 6 || copies[2][i] != 6)
            fail("a sum is wrong", "merge_all");
    for (int c = 0; c < MAX_THREADS; c++)
        free(copies[c]), free(touched[c]);
    free(rows), free(gain);
}

static int is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    const w2v_backend *backend;
    int n_run = 0;
    for (int i = 0; (backend = w2v_get_backend(i)); i++)
        if (w2v_backend_supported(i) && is_wanted(backend->name, argc, argv)) {
            run_all(backend);
            printf("driver: %s: trained\n", backend->name);
            n_run++;
        }
    if (!n_run)
        fail("no such kernel on this CPU", "main");
    merge_all();
    return 0;
}
