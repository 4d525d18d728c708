/* The seam between Python and the kernels: every struct that crosses it.
   Python owns all memory named here; C never allocates, prints or exits. */
#ifndef W2V_API_H
#define W2V_API_H

#include <stdint.h>

/* Limits that Python needs too: it reads them from fastw2v._core. */
enum {
    W2V_CACHE_LINE = 64,                 /* bytes; rows and scratch are aligned to it */
    W2V_ROW_FLOATS = W2V_CACHE_LINE / 4, /* rows are padded to a multiple of it */
    W2V_TOP_NODES = 512,       /* nodes at the top of a Huffman tree, whose rows, a few hundred KB,
                                  stay in L2; several workers replicate them */
    W2V_MAX_PATH_INPUTS = 10,  /* of a path updated in one pass: a window of 5 on each side */
    W2V_MAX_ROUNDED_PATH = 64, /* outputs of a path updated by bfloat16. A constant, so that factors
                                  need no address register for each input: x1.04 */
#ifdef W2V_RED_ZONES
    W2V_RED_ZONE_BYTES = 1024  /* poisoned, after each array in scratch */
#else
    W2V_RED_ZONE_BYTES = 0     /* in all builds but those with AddressSanitizer */
#endif
};

/* A column of Walker's alias table. The sampled word is the column itself if the 32-bit draw is
   <= threshold, else alias. */
typedef struct {
    uint32_t threshold;
    int32_t alias;
} w2v_alias_column;

/* Fortran sgemm of scipy.linalg.cython_blas. */
typedef void w2v_sgemm(char *trans_a, char *trans_b, int *m, int *n, int *k, float *alpha,
                       float *a, int *lda, float *b, int *ldb, float *beta, float *c, int *ldc);

/* How the centres of a chunk are grouped into steps. Every number is at least 1. */
typedef struct {
    int32_t centres;           /* consecutive centres of a block, B; or given pairs */
    int32_t contexts;          /* skip-gram: most inputs of a step */
    int32_t path_contexts;     /* of a step along a Huffman path, likewise */
    int32_t noise;             /* negative samples that a step shares, S */
    int32_t reuse;             /* consecutive blocks that each negative sample serves */
    int32_t interleaved_steps; /* CBOW with negative sampling: steps of a block. Step i takes every
                                  n-th centre from i on, with its own negative samples. Else 1 */
} w2v_block;

/* The first two may be combined: the loss is then the sum of both. */
enum w2v_objective { W2V_NEGATIVE_SAMPLING = 1, W2V_HIERARCHICAL_SOFTMAX = 2, W2V_SOFTMAX = 4 };

/* The model, shared by all workers. Only rows and biases are written. */
typedef struct {
    float *in_rows;  /* (n_words, stride_floats) float32, shared, racy */
    float *out_rows; /* (n_outputs, stride_floats) float32, shared, racy */
    float *out_bias; /* (n_outputs,) float32, shared, racy; NULL without a bias */
    float *in_bias;  /* (stride_floats,) float32, shared, racy; NULL without it: step/in_bias.h */
    const uint8_t *frozen;          /* (n_words,) 1: the input row never changes; NULL: none */
    const uint32_t *keep_threshold; /* (n_words,) a token is kept if its 32-bit draw is <= it */
    const w2v_alias_column *noise;  /* (n_words,) negative sampling only, else NULL */
    const int64_t *path_begin;      /* (n_words + 1,) hierarchical softmax only, else NULL */
    const int32_t *path_steps;      /* (path_begin[n_words],) inner node * 2 + code bit */
    w2v_sgemm *sgemm;               /* full softmax only, else NULL */
    int64_t n_words;
    int64_t n_outputs;              /* n_nodes, plus n_words unless there are only paths */
    int64_t n_nodes;                /* the outputs that are inner nodes come first: n_words - 1 with
                                       hierarchical softmax, else 0 */
    int64_t dim;                    /* floats of a row that are used */
    int64_t stride_floats;          /* floats of a row; those past dim are zero */
    int32_t objective;              /* enum w2v_objective, one or a sum of two */
    int32_t is_cbow;                /* 0: skip-gram */
    int64_t window_left;            /* words before the centre, >= 0 */
    int64_t window_right;           /* words after the centre, >= 0 */
    int32_t max_reach;              /* >= 1, no context is further away: the larger window, or what
                                       the longest sentence leaves of it. Scratch is sized for it */
    int32_t shrink_windows;         /* 1: each centre draws its reach on each side from 1..size */
    int32_t negative;               /* negative samples of a prediction, K */
    w2v_block largest;              /* bounds the blocks of all chunks; scratch is sized for it */
    int32_t longest_path;           /* steps of the longest Huffman path */
    int32_t loss_every;             /* the loss is measured on every n-th block */
    int64_t n_replicated_in;        /* input rows 0..n - 1 are replicated, see collect/replicas.h */
    int64_t n_replicated_out;       /* and this many output rows from first_replicated_out on */
    int64_t first_replicated_out;
    const float *in_flush_share;    /* (n_replicated_in,) float32 in (0, 1]: fraction of a worker's
                                       change that is added to the shared row */
    const float *out_flush_share;   /* (n_replicated_out,) float32, likewise */
    int64_t sync_centres;           /* centres between two syncs */
    int32_t prefetch_for_write;     /* 1: see w2v_prefetch_for_write */
    int32_t cbow_sum;               /* 1: a hidden row is the sum of its contexts, not the mean */
    float cbow_contexts;            /* a window of more contexts counts as this many: in a sum, and
                                       for changes that are not divided */
    int32_t cbow_divide;            /* 1: a context row gets 1 / n_contexts of the gradient */
    float cbow_rate;                /* multiplies the gradient of context rows in CBOW */
    float in_bias_limit;            /* > 0, limits a block's step of in_bias, see step/in_bias.h */
} w2v_model;

/* What a worker has done since it was made. */
typedef struct {
    int64_t n_trained;          /* centres trained */
    int64_t n_subsampled;       /* tokens dropped by subsampling */
    int64_t n_predictions;      /* (input, target) predictions trained */
    int64_t n_loss_predictions; /* those of blocks whose loss was measured */
    double loss_sum;            /* nats over n_loss_predictions */
} w2v_counters;

/* One thread's private state. The padding keeps two workers out of one cache line. */
typedef struct {
    char *scratch;              /* (w2v_scratch_bytes(),) aligned to W2V_CACHE_LINE. All zero before
                                   the first chunk: kernels read parts of it before they write them,
                                   and keep state in it from chunk to chunk */
    int64_t n_predictions;      /* as in w2v_counters, of the blocks so far */
    int64_t n_loss_predictions;
    int64_t block_number;       /* in the chunk, of blocks that predict, from a drawn number on */
    double loss_sum;
    int64_t has_replicas;       /* 1: the replicas in scratch are in use */
    int64_t n_syncs;            /* since they were forked */
    int64_t n_since_sync;       /* centres trained since the last sync */
    uint8_t *touched_in;        /* (n_words,) set to 1 for rows that may have changed; or NULL */
    uint8_t *touched_out;       /* (n_outputs,) likewise */
    w2v_counters done;          /* of whole chunks. Shared, atomic: read it by w2v_read_counters */
    char pad[2 * W2V_CACHE_LINE - 15 * 8];
} w2v_worker;

/* Returns what a worker has done, which may be training at the same time. */
w2v_counters w2v_read_counters(const w2v_worker *worker);

/* A part of the token stream: the centres to train, and the margins that hold their contexts. */
typedef struct {
    const int32_t *word_ids;      /* (n_tokens,) in [0, n_words) */
    const int64_t *sentence_ends; /* (n_ends,) stream positions, ascending, the last one >=
                                     first_token + n_tokens */
    int64_t n_tokens;
    int64_t n_ends;
    int64_t first_token;          /* stream position of word_ids[0] */
    int64_t centre_begin;         /* the tokens [centre_begin, centre_end) are trained as centres */
    int64_t centre_end;
    const float *pair_weights;    /* (n_tokens / 2,) > 0: word_ids are pairs of an input and the
                                     output it predicts. NULL: windows make the pairs */
    uint64_t epoch_key;           /* with the stream position, seeds every draw */
    w2v_block block;              /* no number is larger than in the model's largest */
    float lr;
} w2v_chunk;

/* The functions of one instruction set. */
typedef struct {
    const char *name;
    /* Train the chunk's centres; returns how many were trained. */
    int64_t (*train_chunk)(const w2v_model *model, w2v_worker *worker, const w2v_chunk *chunk);
    /* Flush the worker's replicas to the shared rows and drop them. */
    void (*flush_replicas)(const w2v_model *model, w2v_worker *worker);
} w2v_backend;

/* Backends from the slowest to the fastest on this CPU; NULL past the last. */
const w2v_backend *w2v_get_backend(int index);
int w2v_backend_supported(int index); /* 1 if this CPU can run it */

/* 1 if rows that several threads write should be prefetched for a write. With two threads skip-gram
   is x1.13 as fast on AMD's CPUs, whose cores may be far apart; on Intel's, CBOW is slower. */
int w2v_prefetch_for_write(void);

/* Bytes of scratch that a worker needs for chunks of up to max_tokens tokens, margins included. */
int64_t w2v_scratch_bytes(const w2v_model *model, int64_t max_tokens);

#endif
