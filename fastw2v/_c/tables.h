/* Tables that are built once per vocabulary. */
#ifndef W2V_TABLES_H
#define W2V_TABLES_H

#include "core/api.h"

/* Vose 1991, "A linear algorithm for generating random numbers with a given distribution".
   weights: (n,) with mean 1, overwritten.  work: (n,).  columns: (n,), filled. */
void w2v_build_alias(double *weights, int64_t n, int32_t *work, w2v_alias_column *columns);

/* Huffman tree by two queues (van Leeuwen 1976). Leaf i is node i, inner node i is node n + i;
   the root is the last, 2n - 2.
   counts: (n,) descending, n >= 2.  weights: (n - 1,) work space.  parent, bit: (2n - 1,), the
   inner node above a node and the code bit on the way down. */
void w2v_huffman_tree(const int64_t *counts, int64_t n, int64_t *weights, int32_t *parent,
                      uint8_t *bit);

/* Fill begin (n + 1,), where the path of each word begins. leaf: (n,), the leaf of each word.
   Returns the steps of all paths. */
int64_t w2v_huffman_begin(int64_t n, const int32_t *parent, const int32_t *leaf, int64_t *begin);

/* Fill steps (begin[n],), from the root down: inner node * 2 + code bit. */
void w2v_huffman_paths(int64_t n, const int32_t *parent, const uint8_t *bit, const int32_t *leaf,
                       const int64_t *begin, int32_t *steps);

#endif
