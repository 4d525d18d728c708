/* Tables that are built once per vocabulary: the alias table and the Huffman tree.
   Both take time linear in the number of words. */
#include "tables.h"

static uint32_t to_threshold(double probability)
{
    double scaled = probability * 4294967296.0 - 0.5; /* draw <= threshold has chance p */
    return scaled <= 0 ? 0 : scaled >= 4294967295.0 ? 4294967295u : (uint32_t)scaled;
}

void w2v_build_alias(double *weights, int64_t n, int32_t *work, w2v_alias_column *columns)
{
    int64_t n_small = 0, n_large = 0; /* of work: small ones on its left, large ones on its right */
    for (int64_t i = 0; i < n; i++)
        work[weights[i] < 1.0 ? n_small++ : n - ++n_large] = (int32_t)i;
    while (n_small && n_large) {
        int32_t small = work[--n_small], large = work[n - n_large];
        columns[small] = (w2v_alias_column){to_threshold(weights[small]), large};
        weights[large] -= 1.0 - weights[small];
        if (weights[large] < 1.0) {
            n_large--;
            work[n_small++] = large;
        }
    }
    /* The rest has weight 1 up to rounding. */
    while (n_small)
        n_small--, columns[work[n_small]] = (w2v_alias_column){UINT32_MAX, work[n_small]};
    while (n_large) {
        int32_t large = work[n - n_large--];
        columns[large] = (w2v_alias_column){UINT32_MAX, large};
    }
}

/* The lighter of the next unused leaf and the next unused inner node. */
static int32_t take_lightest(const int64_t *counts, const int64_t *weights, int64_t n,
                             int64_t *leaf, int64_t *inner, int64_t n_inner)
{
    if (*leaf >= 0 && (*inner >= n_inner || counts[*leaf] < weights[*inner]))
        return (int32_t)(*leaf)--;
    return (int32_t)(n + (*inner)++);
}

void w2v_huffman_tree(const int64_t *counts, int64_t n, int64_t *weights, int32_t *parent,
                         uint8_t *bit)
{
    int64_t leaf = n - 1, inner = 0;
    for (int64_t i = 0; i < n - 1; i++) {
        int32_t first = take_lightest(counts, weights, n, &leaf, &inner, i);
        int32_t second = take_lightest(counts, weights, n, &leaf, &inner, i);
        weights[i] = (first < n ? counts[first] : weights[first - n]) +
                     (second < n ? counts[second] : weights[second - n]);
        parent[first] = parent[second] = (int32_t)i;
        bit[first] = 0;
        bit[second] = 1;
    }
}

/* Inner node above a node; the root is node 2n - 2. */
#define FOR_STEPS_UP(node, leaf) \
    for (int64_t node = (leaf); node != 2 * n - 2; node = n + parent[node])

int64_t w2v_huffman_begin(int64_t n, const int32_t *parent, const int32_t *leaf, int64_t *begin)
{
    begin[0] = 0;
    for (int64_t w = 0; w < n; w++) {
        begin[w + 1] = begin[w];
        FOR_STEPS_UP(node, leaf[w])
            begin[w + 1]++;
    }
    return begin[n];
}

void w2v_huffman_paths(int64_t n, const int32_t *parent, const uint8_t *bit, const int32_t *leaf,
                       const int64_t *begin, int32_t *steps)
{
    for (int64_t w = 0; w < n; w++) {
        int64_t at = begin[w + 1];
        FOR_STEPS_UP(node, leaf[w])
            steps[--at] = parent[node] * 2 + bit[node];
    }
}
