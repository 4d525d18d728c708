#include "core/sync_rule.h"

void w2v_sync_intervals(int64_t n_rows, int64_t *interval)
{
    for (int64_t row = 0; row < n_rows; row++) {
        interval[row] = 1;
        while (n_synced(n_rows, interval[row]) <= row)
            interval[row]++;
    }
}
