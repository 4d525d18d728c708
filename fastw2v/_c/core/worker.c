/* What a worker needs and what it has done, whatever its kernel. */
#include "core/api.h"
#include "core/scratch.h"

int64_t w2v_scratch_bytes(const w2v_model *model, int64_t max_tokens)
{
    return carve_scratch(model, max_tokens, NULL).n_bytes;
}

w2v_counters w2v_read_counters(const w2v_worker *worker)
{
    const w2v_counters *done = &worker->done;
    w2v_counters read = {
        .n_trained = __atomic_load_n(&done->n_trained, __ATOMIC_RELAXED),
        .n_subsampled = __atomic_load_n(&done->n_subsampled, __ATOMIC_RELAXED),
        .n_predictions = __atomic_load_n(&done->n_predictions, __ATOMIC_RELAXED),
        .n_loss_predictions = __atomic_load_n(&done->n_loss_predictions, __ATOMIC_RELAXED),
    };
    __atomic_load(&done->loss_sum, &read.loss_sum, __ATOMIC_RELAXED);
    return read;
}
