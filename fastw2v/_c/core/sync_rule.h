/* How often replicated rows are synced, see collect/replicas.h. Nothing else states this rule. */
#ifndef W2V_SYNC_RULE_H
#define W2V_SYNC_RULE_H

#include <stdint.h>

/* Inputs take part in every eighth sync only. Syncing 256 of them every 1,000 centres raised the
   loss of CBOW's first epoch by 0.15 %. */
enum { SYNCS_PER_INPUT_SYNC = 8 };

/* How many of n_rows, the most frequent ones, take part in a sync; syncs are counted from 1. A sync
   takes 60 ns a row, and rarer rows change less between two syncs. */
static inline int64_t n_synced(int64_t n_rows, int64_t sync)
{
    return sync % 16 == 0 ? n_rows : sync % 4 == 0 ? n_rows / 4 : n_rows / 16;
}

/* Fill interval (n_rows,) int64: row i, the most frequent first, takes part in every interval[i]-th
   sync. */
void w2v_sync_intervals(int64_t n_rows, int64_t *interval);

#endif
