# --- tables ---

cdef extern from "tables.h" nogil:
    void w2v_build_alias(double *weights, int64_t n, int32_t *work, w2v_alias_column *columns)
    void w2v_huffman_tree(const int64_t *counts, int64_t n, int64_t *weights, int32_t *parent,
                          uint8_t *bit)
    int64_t w2v_huffman_begin(int64_t n, const int32_t *parent, const int32_t *leaf,
                              int64_t *begin)
    void w2v_huffman_paths(int64_t n, const int32_t *parent, const uint8_t *bit,
                           const int32_t *leaf, const int64_t *begin, int32_t *steps)


def build_alias(double[::1] weights, int32_t[::1] work, w2v_alias_column[::1] columns):
    """Fill columns (n,) from weights (n,) of mean 1, which are overwritten; work is (n,)."""
    check_shape("work", [work.shape[0]], [weights.shape[0]])
    check_shape("columns", [columns.shape[0]], [weights.shape[0]])
    with nogil:
        w2v_build_alias(&weights[0], weights.shape[0], &work[0], &columns[0])


def huffman_tree(const int64_t[::1] counts, int64_t[::1] weights, int32_t[::1] parent,
                 uint8_t[::1] bit, const int32_t[::1] leaf, int64_t[::1] begin):
    """Fill parent and bit (2n - 1,) and begin (n + 1,); return the steps of all paths.

    counts: (n,) descending, n >= 2.  weights: (n - 1,) work space.  leaf: (n,) the leaf of
    each word.
    """
    cdef int64_t n = counts.shape[0], n_steps
    if n < 2:
        raise ValueError(f"a Huffman tree needs at least 2 words, got {n}")
    check_shape("weights", [weights.shape[0]], [n - 1])
    check_shape("parent", [parent.shape[0]], [2 * n - 1])
    check_shape("bit", [bit.shape[0]], [2 * n - 1])
    check_shape("leaf", [leaf.shape[0]], [n])
    check_shape("begin", [begin.shape[0]], [n + 1])
    with nogil:
        w2v_huffman_tree(&counts[0], n, &weights[0], &parent[0], &bit[0])
        n_steps = w2v_huffman_begin(n, &parent[0], &leaf[0], &begin[0])
    return n_steps


def huffman_paths(const int32_t[::1] parent, const uint8_t[::1] bit, const int32_t[::1] leaf,
                  const int64_t[::1] begin, int32_t[::1] steps):
    """Fill steps (begin[n],) with inner node * 2 + code bit, from the root down."""
    cdef int64_t n = begin.shape[0] - 1
    check_shape("steps", [steps.shape[0]], [begin[n]])
    with nogil:
        w2v_huffman_paths(n, &parent[0], &bit[0], &leaf[0], &begin[0], &steps[0])
