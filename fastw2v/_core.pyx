"""The only door between Python and C: checks arguments, fills structs, calls without the GIL."""

from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memset

# --- training ---

cdef extern from "core/api.h" nogil:
    enum:
        W2V_CACHE_LINE
        W2V_ROW_FLOATS
        W2V_TOP_NODES
        W2V_MAX_PATH_INPUTS
        W2V_MAX_ROUNDED_PATH
        W2V_RED_ZONE_BYTES
    enum:
        W2V_NEGATIVE_SAMPLING
        W2V_HIERARCHICAL_SOFTMAX
        W2V_SOFTMAX

    ctypedef struct w2v_alias_column:
        uint32_t threshold
        int32_t alias

    ctypedef void w2v_sgemm(char *, char *, int *, int *, int *, float *, float *, int *,
                            float *, int *, float *, float *, int *) noexcept

    ctypedef struct w2v_block:
        int32_t centres
        int32_t contexts
        int32_t path_contexts
        int32_t noise
        int32_t reuse
        int32_t interleaved_steps

    ctypedef struct w2v_model:
        float *in_rows
        float *out_rows
        float *out_bias
        float *in_bias
        const uint8_t *frozen
        const uint32_t *keep_threshold
        const w2v_alias_column *noise
        const int64_t *path_begin
        const int32_t *path_steps
        w2v_sgemm *sgemm
        int64_t n_words
        int64_t n_outputs
        int64_t n_nodes
        int64_t dim
        int64_t stride_floats
        int32_t objective
        int32_t is_cbow
        int64_t window_left
        int64_t window_right
        int32_t max_reach
        int32_t shrink_windows
        int32_t negative
        w2v_block largest
        int32_t longest_path
        int32_t loss_every
        int64_t n_replicated_in
        int64_t n_replicated_out
        int64_t first_replicated_out
        const float *in_flush_share
        const float *out_flush_share
        int64_t sync_centres
        int32_t prefetch_for_write
        int32_t cbow_sum
        float cbow_contexts
        int32_t cbow_divide
        float cbow_rate
        float in_bias_limit

    ctypedef struct w2v_counters:
        int64_t n_trained
        int64_t n_subsampled
        int64_t n_predictions
        int64_t n_loss_predictions
        double loss_sum

    ctypedef struct w2v_worker:
        char *scratch
        uint8_t *touched_in
        uint8_t *touched_out

    ctypedef struct w2v_chunk:
        const int32_t *word_ids
        const int64_t *sentence_ends
        int64_t n_tokens
        int64_t n_ends
        int64_t first_token
        int64_t centre_begin
        int64_t centre_end
        const float *pair_weights
        uint64_t epoch_key
        w2v_block block
        float lr

    ctypedef int64_t (*train_function)(const w2v_model *, w2v_worker *,
                                       const w2v_chunk *) noexcept

    ctypedef void (*flush_function)(const w2v_model *, w2v_worker *) noexcept

    ctypedef struct w2v_backend:
        const char *name
        train_function train_chunk
        flush_function flush_replicas

    const w2v_backend *w2v_get_backend(int index)
    int w2v_backend_supported(int index)
    int w2v_prefetch_for_write()
    w2v_counters w2v_read_counters(const w2v_worker *worker) noexcept
    int64_t w2v_scratch_bytes(const w2v_model *model, int64_t max_tokens)


cdef extern from "core/sync_rule.h" nogil:
    void w2v_sync_intervals(int64_t n_rows, int64_t *interval) noexcept


ROW_FLOATS = W2V_ROW_FLOATS
TOP_NODES = W2V_TOP_NODES
MAX_PATH_INPUTS = W2V_MAX_PATH_INPUTS
MAX_ROUNDED_PATH = W2V_MAX_ROUNDED_PATH
RED_ZONE_BYTES = W2V_RED_ZONE_BYTES

OBJECTIVES = {
    "ns": W2V_NEGATIVE_SAMPLING,
    "hs": W2V_HIERARCHICAL_SOFTMAX,
    "hs+ns": W2V_HIERARCHICAL_SOFTMAX | W2V_NEGATIVE_SAMPLING,
    "softmax": W2V_SOFTMAX,
}


cdef const w2v_backend *find_backend(str name) except NULL:
    cdef int index = 0
    while w2v_get_backend(index) != NULL:
        if w2v_get_backend(index).name.decode() == name and w2v_backend_supported(index):
            return w2v_get_backend(index)
        index += 1
    raise ValueError(f"backend must be one of {', '.join(backends())}, got {name!r}")


def sync_intervals(int64_t[::1] interval):
    """Fill interval (n_rows,): replicated row i takes part in every interval[i]-th sync.

    Rows come from the most frequent one to the rarest.
    """
    if interval.shape[0]:
        with nogil:
            w2v_sync_intervals(interval.shape[0], &interval[0])


def backends():
    """Return the names of the kernels that this CPU can run, slowest first."""
    cdef int index = 0
    names = []
    while w2v_get_backend(index) != NULL:
        if w2v_backend_supported(index):
            names.append(w2v_get_backend(index).name.decode())
        index += 1
    return names


cdef check_shape(name, shape, expected):
    if tuple(shape) != tuple(expected):
        raise ValueError(f"{name} must have shape {tuple(expected)}, got {tuple(shape)}")


cdef check_rows(name, float[:, ::1] rows):
    if rows.shape[1] % W2V_ROW_FLOATS or <uintptr_t>&rows[0, 0] % W2V_CACHE_LINE:
        raise ValueError(f"{name} must be padded and aligned to {W2V_CACHE_LINE} bytes")


cdef w2v_block block_of(shape) except *:
    cdef w2v_block block
    block.centres, block.contexts = shape.centres, shape.contexts
    block.path_contexts = shape.path_contexts
    block.noise, block.reuse = shape.noise, shape.reuse
    block.interleaved_steps = shape.interleaved_steps
    if min(block.centres, block.contexts, block.path_contexts, block.noise, block.reuse,
           block.interleaved_steps) < 1:
        raise ValueError(f"every number of a block must be at least 1, got {shape}")
    return block


cdef class Model:
    """The rows to train and the tables to draw from, as the kernels see them.

    arrays: fastw2v.training.arrays.ModelArrays.  settings: fastw2v.training.arrays.KernelSettings.
    Raises ValueError if shapes, dtypes or alignment do not fit.
    """

    cdef w2v_model c
    cdef const w2v_backend *backend
    cdef readonly object arrays
    cdef object replicas  # keeps the shares alive

    def __init__(self, arrays, settings):
        self.arrays = arrays
        memset(&self.c, 0, sizeof(self.c))
        self.backend = find_backend(settings.backend)
        self.set_settings(settings)
        self.set_rows(arrays)
        self.set_replicas(settings)
        self.set_tables(arrays)

    def scratch_bytes(self, int64_t max_tokens):
        """Return the bytes of scratch of a worker for chunks of up to max_tokens tokens."""
        return w2v_scratch_bytes(&self.c, max_tokens)

    cdef set_settings(self, settings):
        self.c.objective = OBJECTIVES[settings.objective]
        self.c.dim = settings.dim
        self.c.is_cbow = settings.is_cbow
        self.c.window_left, self.c.window_right = settings.window
        self.c.max_reach = settings.max_reach
        if max(settings.window) < 1 or min(settings.window) < 0:
            raise ValueError(f"window must be (left, right) and reach a word, got {settings.window}")
        if self.c.max_reach < 1:
            raise ValueError(f"max_reach must be at least 1, got {settings.max_reach}")
        self.c.shrink_windows = settings.shrink_windows
        self.c.negative = settings.negative
        self.c.largest = block_of(settings.largest)
        self.c.loss_every = settings.loss_every
        self.c.prefetch_for_write = settings.is_shared and w2v_prefetch_for_write()
        self.c.cbow_sum = settings.cbow_sum
        self.c.cbow_contexts = settings.cbow_contexts
        self.c.cbow_divide = settings.cbow_divide
        self.c.cbow_rate = settings.cbow_rate
        self.c.in_bias_limit = settings.in_bias_limit

    cdef set_rows(self, arrays):
        cdef float[:, ::1] in_rows = arrays.in_rows
        cdef float[:, ::1] out_rows = arrays.out_rows
        cdef float[::1] out_bias
        cdef float[:, ::1] in_bias
        check_rows("in_rows", in_rows)
        check_rows("out_rows", out_rows)
        self.c.n_words, self.c.stride_floats = in_rows.shape[0], in_rows.shape[1]
        if not 0 < self.c.dim <= self.c.stride_floats:
            raise ValueError(f"dim must be in 1..{self.c.stride_floats}, got {self.c.dim}")
        if self.c.objective & W2V_HIERARCHICAL_SOFTMAX:
            self.c.n_nodes = self.c.n_words - 1
        self.c.n_outputs = self.c.n_nodes
        if self.c.objective != W2V_HIERARCHICAL_SOFTMAX:
            self.c.n_outputs += self.c.n_words
        check_shape("out_rows", [out_rows.shape[0], out_rows.shape[1]],
                    [self.c.n_outputs, self.c.stride_floats])
        self.c.in_rows, self.c.out_rows = &in_rows[0, 0], &out_rows[0, 0]
        if arrays.out_bias is not None:
            out_bias = arrays.out_bias
            check_shape("out_bias", [out_bias.shape[0]], [self.c.n_outputs])
            self.c.out_bias = &out_bias[0]
        if arrays.in_bias is not None:
            in_bias = arrays.in_bias
            check_rows("in_bias", in_bias)
            check_shape("in_bias", [in_bias.shape[0], in_bias.shape[1]],
                        [1, self.c.stride_floats])
            self.c.in_bias = &in_bias[0, 0]

    cdef set_replicas(self, settings):
        cdef const float[::1] inputs = settings.replicas.inputs
        cdef const float[::1] outputs = settings.replicas.outputs
        self.replicas = settings.replicas
        self.c.n_replicated_in = min(inputs.shape[0], self.c.n_words)
        self.c.n_replicated_out = min(outputs.shape[0], self.c.n_nodes or self.c.n_words)
        if self.c.n_replicated_in:
            self.c.in_flush_share = &inputs[0]
        if self.c.n_replicated_out:
            self.c.out_flush_share = &outputs[0]
        self.c.sync_centres = settings.replicas.centres
        if self.c.n_nodes:  # the top of the tree comes last
            self.c.first_replicated_out = self.c.n_nodes - self.c.n_replicated_out

    cdef set_tables(self, arrays):
        cdef const uint32_t[::1] keep_threshold = arrays.keep_threshold
        cdef const uint8_t[::1] frozen
        cdef const w2v_alias_column[::1] noise
        cdef const int64_t[::1] path_begin
        cdef const int32_t[::1] path_steps
        check_shape("keep_threshold", [keep_threshold.shape[0]], [self.c.n_words])
        self.c.keep_threshold = &keep_threshold[0]
        if arrays.frozen is not None:
            frozen = arrays.frozen
            check_shape("frozen", [frozen.shape[0]], [self.c.n_words])
            self.c.frozen = &frozen[0]
        if self.c.objective & W2V_NEGATIVE_SAMPLING:
            noise = arrays.noise
            check_shape("noise", [noise.shape[0]], [self.c.n_words])
            self.c.noise = &noise[0]
        if self.c.objective & W2V_HIERARCHICAL_SOFTMAX:
            path_begin, path_steps = arrays.paths.begin, arrays.paths.steps
            check_shape("path_begin", [path_begin.shape[0]], [self.c.n_words + 1])
            check_shape("path_steps", [path_steps.shape[0]], [path_begin[self.c.n_words]])
            self.c.path_begin, self.c.path_steps = &path_begin[0], &path_steps[0]
            self.c.longest_path = arrays.paths.longest
        if self.c.objective == W2V_SOFTMAX:
            if self.c.stride_floats > INT32_MAX:
                raise ValueError(f"BLAS takes rows of at most {INT32_MAX} floats")
            self.c.sgemm = load_sgemm()


cdef w2v_sgemm *load_sgemm() except NULL:
    # Looked up by its capsule, not cimported: a cimport would load scipy with this module.
    from scipy.linalg import cython_blas
    capsule = cython_blas.__pyx_capi__["sgemm"]
    return <w2v_sgemm *>PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))


cdef bint fits(const w2v_block *block, const w2v_block *largest):
    return (block.centres <= largest.centres and block.contexts <= largest.contexts
            and block.noise <= largest.noise
            and block.interleaved_steps <= largest.interleaved_steps)


cdef class Worker:
    """One thread's private state and counters, for chunks of up to max_tokens tokens."""

    cdef w2v_worker c
    cdef Model model
    cdef int64_t max_tokens
    cdef char[::1] scratch
    cdef uint8_t[::1] touched_in, touched_out

    def __init__(self, Model model, int64_t max_tokens, allocate):
        """Take scratch memory from allocate(n_bytes): a writable buffer, aligned to a page."""
        self.model = model
        self.max_tokens = max_tokens
        memset(&self.c, 0, sizeof(self.c))
        self.scratch = allocate(w2v_scratch_bytes(&model.c, max_tokens))
        if <uintptr_t>&self.scratch[0] % W2V_CACHE_LINE:
            raise ValueError(f"scratch must be aligned to {W2V_CACHE_LINE} bytes")
        self.c.scratch = &self.scratch[0]

    def train(self, chunk, uint64_t epoch_key, float lr, block=None):
        """Train the centres of a chunk at one learning rate; return how many subsampling kept.

        chunk: fastw2v.corpus.ChunkData.  epoch_key: seeds every draw.  lr: >= 0.  block:
        fastw2v.training.blocks.BlockShape, None for the largest that the model was made for.
        """
        cdef const int32_t[::1] word_ids = chunk.word_ids
        cdef const int64_t[::1] sentence_ends = chunk.sentence_ends
        cdef const float[::1] pair_weights
        cdef w2v_chunk c
        cdef int64_t n_trained
        c.n_tokens, c.n_ends = word_ids.shape[0], sentence_ends.shape[0]
        c.first_token = chunk.first_token
        c.centre_begin, c.centre_end = chunk.centre_begin, chunk.centre_end
        c.epoch_key, c.lr = epoch_key, lr
        c.block = self.model.c.largest if block is None else block_of(block)
        if not fits(&c.block, &self.model.c.largest):
            raise ValueError(f"the block {block} is larger than the model was made for")
        if not 0 <= c.centre_begin <= c.centre_end <= c.n_tokens <= self.max_tokens:
            raise ValueError(f"chunk of {c.n_tokens} tokens with centres "
                             f"{c.centre_begin}..{c.centre_end} exceeds {self.max_tokens}")
        if c.centre_begin == c.centre_end:
            return 0
        if c.n_ends == 0 or sentence_ends[c.n_ends - 1] < c.first_token + c.n_tokens:
            raise ValueError("the last sentence of the chunk has no end")
        c.word_ids, c.sentence_ends, c.pair_weights = &word_ids[0], &sentence_ends[0], NULL
        if chunk.pair_weights is not None:
            pair_weights = chunk.pair_weights
            if c.n_tokens % 2 or c.centre_begin % 2 or c.centre_end % 2 or self.model.c.is_cbow:
                raise ValueError("pairs need chunks of whole pairs and a skip-gram model")
            check_shape("pair_weights", [pair_weights.shape[0]], [c.n_tokens // 2])
            c.pair_weights = &pair_weights[0]
        with nogil:
            n_trained = self.model.backend.train_chunk(&self.model.c, &self.c, &c)
        return n_trained

    def flush_replicas(self):
        """Flush this worker's replicas to the shared rows and drop them.

        Call after its last chunk, before anybody reads the rows.
        """
        self.model.backend.flush_replicas(&self.model.c, &self.c)

    def note_touched(self, uint8_t[::1] touched_in, uint8_t[::1] touched_out):
        """Mark the rows that train() may change in touched_in (n_words,), touched_out (n_outputs,).

        The full softmax changes all output rows and marks none of them.
        """
        check_shape("touched_in", [touched_in.shape[0]], [self.model.c.n_words])
        check_shape("touched_out", [touched_out.shape[0]], [self.model.c.n_outputs])
        self.touched_in, self.touched_out = touched_in, touched_out
        self.c.touched_in, self.c.touched_out = &touched_in[0], &touched_out[0]

    def counters(self):
        """Return the counts and the loss sum (nats) of the chunks so far, by name."""
        cdef w2v_counters done = w2v_read_counters(&self.c)
        return {
            "n_trained": done.n_trained,
            "n_subsampled": done.n_subsampled,
            "n_predictions": done.n_predictions,
            "n_loss_predictions": done.n_loss_predictions,
            "loss_sum": done.loss_sum,
        }


include "_core_tables.pxi"
include "_core_tokens.pxi"
include "_core_text.pxi"
include "_core_phrases.pxi"
include "_core_rounds.pxi"
