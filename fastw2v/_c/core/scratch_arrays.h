/* Every array of a worker's scratch, in the order in which they lie in memory: the type of an item,
   the name, and the shape in the sizes that carve_scratch computes. core/scratch.h includes this
   table twice, with different definitions of ARRAY and MATRIX: a new array is one line here. The
   order matters: another one made CBOW x0.98 by bfloat16, dimension 100. */

/* Inputs of a block. */
ARRAY(float *, in_row, max_in + 16)            /* rows of zeros past the last input */
ARRAY(float *, in_change_row, max_in)          /* rows of in_change */
ARRAY(float *, step_change_row, max_in)        /* those of in_change that a CBOW step changes */
ARRAY(float *, context_row, max_in + 1)        /* CBOW: contexts of the block; see also in_bias.h */
ARRAY(float *, centre_change, max_in)          /* CBOW: change of the centre at a context's place */
ARRAY(float, centre_factor, max_in)            /* CBOW: what multiplies it; 0: no centre there */
ARRAY(float *, paired_row, max_in + 16)        /* the output that is paired with input j alone */
ARRAY(int32_t, paired_id, max_in + 16)         /* its id */
MATRIX(float, running, n_running, stride)      /* CBOW: running sums, see cbow.h */

/* Outputs of a block, and what each pair of an input and an output is worth. */
ARRAY(float *, out_row, out_step)
ARRAY(float, want, n_weights)                  /* (in_rows, out_step) p of the block step, then p
                                                  of paired outputs; of paths (out_step,) */
ARRAY(float, weight, n_weights)                /* likewise p + q */
ARRAY(float, scores, n_scores)                 /* likewise; of paths (max_in + PATHS, path_step), of
                                                  the softmax (max_in, score_stride) */
ARRAY(float, bias, out_step)                   /* biases of the block's outputs */
ARRAY(int32_t, column_begin, max_out + 16)     /* first context of the column's centre */
ARRAY(int32_t, column_end, max_out + 16)       /* past its last context */
ARRAY(int32_t, column_centre, max_out + 16)    /* the centre itself, an index into kept_id */
ARRAY(float, column_share, max_out + 16)       /* K/S for a negative sample, 0 for a centre */
ARRAY(float, n_paired, max_in + 16)            /* how many centres have the input as a context */
ARRAY(float, zero_row, stride)                 /* pads inputs and outputs to whole tiles */
MATRIX(float, hidden, max_in, stride)          /* CBOW: hidden rows; softmax: packed inputs; see
                                                  also in_bias.h */
MATRIX(float, in_change, max_in, stride)       /* what is to be added to the inputs */
MATRIX(float, frozen, n_frozen, stride)        /* a ring of copies of frozen input rows */
ARRAY(int64_t, next_frozen, 1)                 /* the slot of the next copy */
ARRAY(prefetch_queue, queue, 1)
ARRAY(float *, queued_row, max_queued)         /* the rows in the queue */

/* Replicas, which outlast a chunk: see collect/replicas.h. */
MATRIX(float, in_replica, m->n_replicated_in, stride)
MATRIX(float, in_fork, m->n_replicated_in, stride)
MATRIX(float, out_replica, m->n_replicated_out, stride)
MATRIX(float, out_fork, m->n_replicated_out, stride)

/* Ids of outputs, and what is drawn or listed for a block. */
ARRAY(int32_t, out_id, max_out + 16)           /* output of each column */
MATRIX(int32_t, noise_id, n_steps, n_noise)    /* negative samples, drawn one step ahead */
ARRAY(int64_t, oldest_noise, n_steps)          /* the next of them to be replaced */
ARRAY(int32_t, noise_column, n_noise)          /* columns of the alias table, of the next samples */
ARRAY(uint32_t, noise_bits, n_noise)           /* compared with the columns' thresholds */
ARRAY(int32_t, pair_input, n_pairs)            /* softmax: input of each pair */
ARRAY(int32_t, pair_target, n_pairs)           /* softmax: its target word */
ARRAY(float, pair_weight, n_pairs)             /* softmax: its weight */

/* Rows and factors rounded to bfloat16, see isa/matrix_unit.h and isa/bfloat16.h. */
MATRIX(char, in_along, packed_in, row_bytes)
MATRIX(char, in_pairwise, packed_in, row_bytes)
MATRIX(char, out_across, packed_out, row_bytes)
MATRIX(char, out_pairwise, packed_out, row_bytes)
MATRIX(char, factors, packed_in, 2 * out_rows)        /* (in_rows, out_rows) bfloat16 */
MATRIX(char, factors_across, packed_out, 2 * in_rows) /* (out_rows, in_rows) bfloat16 */
ARRAY(uint64_t, weighted, packed_in)                  /* bit k: output k has a weight */
ARRAY(uint64_t, weighted_pair, packed_in / 2)         /* the same of either of two inputs */
MATRIX(float, even_sums, packed_tile, PANEL_FLOATS)   /* of a tile of 16 rows */
MATRIX(float, odd_sums, packed_tile, PANEL_FLOATS)    /* of the next tile */

/* Kept tokens. They come last, as their size alone differs from chunk to chunk: everything else
   keeps its place, above all the replicas. */
ARRAY(int32_t, kept_id, max_tokens)            /* tokens left by subsampling */
ARRAY(int32_t, kept_begin, max_tokens)         /* first context, an index into kept_id */
ARRAY(int32_t, kept_end, max_tokens)           /* past the last context */
