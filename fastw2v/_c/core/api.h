/* The seam between Python and the kernels: every struct that crosses it.
   Python owns all memory named here; C allocates, prints and exits nothing. */
#ifndef W2V_API_H
#define W2V_API_H

#include <stdint.h>

enum { W2V_CACHE_LINE = 64 }; /* bytes; rows, scratch and worker states are aligned to it */

/* One column of Walker's alias table: the noise word is the column itself if the 32-bit
   draw is <= threshold, else alias. */
typedef struct {
    uint32_t threshold;
    int32_t alias;
} w2v_alias_column;

/* Fortran sgemm of scipy.linalg.cython_blas. */
typedef void w2v_sgemm(char *trans_a, char *trans_b, int *m, int *n, int *k, float *alpha,
                       float *a, int *lda, float *b, int *ldb, float *beta, float *c, int *ldc);

/* How the centres of a chunk are grouped into steps. */
typedef struct {
    int32_t centres;  /* consecutive centres per block, B, >= 1; pairs, where pairs are given */
    int32_t contexts; /* skip-gram: contexts that a step takes at most where it has one centre, as
                         hierarchical softmax always does, >= 1 */
    int32_t noise;    /* negative samples shared by a block, S, >= 1 */
    int32_t reuse;    /* blocks that each of them serves in turn, >= 1 */
    int32_t interleaved_steps;    /* CBOW with negative sampling: steps that take the centres of a block in turn,
                         each with negative samples of its own, >= 1; else 1 */
} w2v_block;

enum w2v_objective { W2V_NEGATIVE_SAMPLING, W2V_HIERARCHICAL_SOFTMAX, W2V_SOFTMAX };

/* The model and all that its workers share. Only rows and biases are written. */
typedef struct {
    float *in_rows;  /* (n_words, stride_floats) float32, shared, racy */
    float *out_rows; /* (n_outputs, stride_floats) float32, shared, racy */
    float *out_bias; /* (n_outputs,) float32, shared, racy; NULL without bias */
    float *in_bias;  /* (stride_floats,) float32, shared, racy, see in_bias.h; NULL without it */
    const uint8_t *frozen; /* (n_words,) 1: the input row stays as it is; NULL if none does */
    const uint32_t *keep_threshold; /* (n_words,) a token stays if its 32-bit draw is <= it */
    const w2v_alias_column *noise;  /* (n_words,) negative sampling only, else NULL */
    const int64_t *path_begin;      /* (n_words + 1,) hierarchical softmax only, else NULL */
    const int32_t *path_steps;      /* (path_begin[n_words],) inner node * 2 + code bit */
    w2v_sgemm *sgemm;               /* full softmax only, else NULL */
    int64_t n_words;
    int64_t n_outputs;      /* n_words, or n_words - 1 inner nodes */
    int64_t dim;            /* floats in use per row */
    int64_t stride_floats;  /* floats per row, a multiple of 16; the rest is zero */
    int32_t objective;      /* enum w2v_objective */
    int32_t is_cbow;        /* 0: skip-gram */
    int32_t window;         /* the greater of the two below, >= 1 */
    int32_t window_left;    /* >= 0, words before the centre */
    int32_t window_right;   /* >= 0, words after it */
    int32_t shrink_windows; /* 1: each centre draws its reach on each side from 1..its size */
    int32_t negative;       /* noise words per prediction, K */
    w2v_block largest;      /* the most of each that any chunk asks for; scratch is made for it */
    int32_t longest_path;   /* steps of the longest Huffman path */
    int32_t loss_every;     /* the loss is measured on every n-th block */
    int64_t n_hot_in;       /* input rows 0..n_hot_in - 1 are private to a worker meanwhile */
    int64_t n_hot_out;      /* so are n_hot_out output rows from first_hot_out */
    int64_t first_hot_out;
    const float *hot_in_share;  /* (n_hot_in,) what of a worker's change the shared row gets */
    const float *hot_out_share; /* (n_hot_out,) the same */
    int64_t hot_centres;    /* centres between two exchanges of some of them */
    int32_t prefetch_for_write;    /* 1: rows are asked for to be written, see w2v_prefetch_for_write */
    int32_t cbow_sum;       /* 1: a hidden row is the sum, not the mean, of its context rows */
    int32_t cbow_divide;    /* 1: a context row gets 1/n_contexts of the gradient */
    float cbow_rate;        /* multiplies the gradient of context rows in CBOW */
    float in_bias_limit;    /* limits a block's step of in_bias, see in_bias.h; > 0 */
} w2v_model;

/* One thread's private state, on cache lines of its own. */
typedef struct {
    char *scratch;             /* (w2v_scratch_bytes(),) aligned to W2V_CACHE_LINE */
    int64_t n_trained;         /* centres trained */
    int64_t n_subsampled;      /* tokens of the chunks dropped by subsampling */
    int64_t n_predictions;     /* (input, target) predictions trained */
    int64_t n_loss_predictions; /* those of the blocks where the loss was measured */
    int64_t block_number;       /* of the chunk under way, from where its draw says */
    double loss_sum; /* nats over n_loss_predictions */
    int64_t has_hot_rows;     /* 1: its hot rows are those that it had after an earlier chunk */
    int64_t n_exchanges;      /* of them, since they were taken */
    int64_t n_since_exchange; /* centres trained since the last one */
    uint8_t *touched_in;  /* (n_words,) set to 1 for rows that may have changed; NULL: not noted */
    uint8_t *touched_out; /* (n_outputs,) the same */
    char pad[2 * W2V_CACHE_LINE - 12 * 8];
} w2v_worker;

/* A run of the token stream: the centres to train and the margins that hold their contexts. */
typedef struct {
    const int32_t *word_ids;      /* (n_tokens,) in [0, n_words) */
    const int64_t *sentence_ends; /* (n_ends,) stream positions, ascending, the last one >=
                                     first_token + n_tokens */
    int64_t n_tokens;
    int64_t n_ends;
    int64_t first_token;  /* stream position of word_ids[0] */
    int64_t centre_begin; /* indices into word_ids: tokens trained as centres */
    int64_t centre_end;
    const float *pair_weights; /* (n_tokens / 2,) > 0: word_ids are pairs of an input and the
                                  output it predicts; NULL: windows make the pairs */
    uint64_t epoch_key; /* seeds every draw, together with the stream position */
    w2v_block block;    /* no more of anything than the model's largest */
    float lr;
} w2v_chunk;

/* The functions of one instruction set. */
typedef struct {
    const char *name;
    /* Train the chunk's centres; returns the number trained. */
    int64_t (*train_chunk)(const w2v_model *model, w2v_worker *worker, const w2v_chunk *chunk);
    /* Add to the shared rows what changed in the hot rows that a worker has after its chunks. */
    void (*give_hot_rows)(const w2v_model *model, w2v_worker *worker);
} w2v_backend;

/* dispatch.c: backends from the slowest to the fastest on this CPU, NULL past the last. */
const w2v_backend *w2v_get_backend(int index);
int w2v_backend_supported(int index); /* 1 if this CPU can run it */

/* 1 if rows that several threads write had best be asked for to be written. On AMD's CPUs, whose
   cores may be far apart, two threads run x1.13 (skip-gram) so; on Intel's CBOW ran x0.90. */
int w2v_prefetch_for_write(void);

/* Bytes of scratch a worker needs for chunks of up to max_tokens tokens, margins included. */
int64_t w2v_scratch_bytes(const w2v_model *model, int64_t max_tokens);

#endif
