"""Check, fill structs, release the GIL, call: the only door between Python and C."""

from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memset

# --- training ---

cdef extern from "api.h" nogil:
    enum: W2V_CACHE_LINE
    enum: W2V_NEGATIVE_SAMPLING
    enum: W2V_HIERARCHICAL_SOFTMAX
    enum: W2V_SOFTMAX

    ctypedef struct w2v_alias_column:
        uint32_t threshold
        int32_t alias

    ctypedef void w2v_sgemm(char *, char *, int *, int *, int *, float *, float *, int *,
                            float *, int *, float *, float *, int *) noexcept

    ctypedef struct w2v_model:
        float *in_rows
        float *out_rows
        float *out_bias
        const uint8_t *frozen
        const uint32_t *keep_threshold
        const w2v_alias_column *noise
        const int64_t *path_begin
        const int32_t *path_steps
        w2v_sgemm *sgemm
        int64_t n_words
        int64_t n_outputs
        int64_t dim
        int64_t stride_floats
        int32_t objective
        int32_t is_cbow
        int32_t window
        int32_t window_left
        int32_t window_right
        int32_t shrink_windows
        int32_t negative
        int32_t block_centres
        int32_t block_noise
        int32_t noise_reuse
        int32_t longest_path
        int32_t loss_every
        int64_t n_hot_in
        int64_t n_hot_out
        int64_t first_hot_out
        int32_t cbow_sum
        int32_t cbow_divide
        float cbow_rate

    ctypedef struct w2v_worker:
        char *scratch
        int64_t n_trained
        int64_t n_subsampled
        int64_t n_predictions
        int64_t n_loss_predictions
        int64_t n_blocks
        double loss_sum
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
        float lr

    ctypedef int64_t (*train_function)(const w2v_model *, w2v_worker *,
                                       const w2v_chunk *) noexcept

    ctypedef struct w2v_backend:
        const char *name
        train_function train_chunk

    const w2v_backend *w2v_get_backend(int index)
    int w2v_backend_supported(int index)
    int64_t w2v_scratch_bytes(const w2v_model *model, int64_t max_tokens)


OBJECTIVES = {
    "ns": W2V_NEGATIVE_SAMPLING,
    "hs": W2V_HIERARCHICAL_SOFTMAX,
    "softmax": W2V_SOFTMAX,
}


cdef const w2v_backend *find_backend(str name) except NULL:
    cdef int index = 0
    while w2v_get_backend(index) != NULL:
        if w2v_get_backend(index).name.decode() == name and w2v_backend_supported(index):
            return w2v_get_backend(index)
        index += 1
    raise ValueError(f"backend must be one of {', '.join(backends())}, got {name!r}")


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
    if rows.shape[1] % (W2V_CACHE_LINE // 4) or <uintptr_t>&rows[0, 0] % W2V_CACHE_LINE:
        raise ValueError(f"{name} must be padded and aligned to {W2V_CACHE_LINE} bytes")


cdef class Model:
    """The rows to train and the tables to draw from, as the kernels see them.

    arrays: the attributes of fastw2v.training.model.ModelArrays, checked here.
    settings: the attributes of fastw2v.training.model.KernelSettings.
    Raises ValueError if shapes, dtypes or alignment do not fit.
    """

    cdef w2v_model c
    cdef const w2v_backend *backend
    cdef readonly object arrays

    def __init__(self, arrays, settings):
        self.arrays = arrays
        memset(&self.c, 0, sizeof(self.c))
        self.backend = find_backend(settings.backend)
        self.set_settings(settings)
        self.set_rows(arrays)
        self.set_hot_rows(settings)
        self.set_tables(arrays)

    cdef set_settings(self, settings):
        self.c.objective = OBJECTIVES[settings.objective]
        self.c.dim = settings.dim
        self.c.is_cbow = settings.is_cbow
        self.c.window_left, self.c.window_right = settings.window
        self.c.window = max(settings.window)
        if self.c.window < 1 or min(settings.window) < 0:
            raise ValueError(f"window must be (left, right) and reach a word, got {settings.window}")
        self.c.shrink_windows = settings.shrink_windows
        self.c.negative = settings.negative
        self.c.block_centres = settings.block_centres
        self.c.block_noise = settings.block_noise
        self.c.noise_reuse = settings.noise_reuse
        self.c.loss_every = settings.loss_every
        self.c.cbow_sum = settings.cbow_sum
        self.c.cbow_divide = settings.cbow_divide
        self.c.cbow_rate = settings.cbow_rate

    cdef set_rows(self, arrays):
        cdef float[:, ::1] in_rows = arrays.in_rows
        cdef float[:, ::1] out_rows = arrays.out_rows
        cdef float[::1] out_bias
        check_rows("in_rows", in_rows)
        check_rows("out_rows", out_rows)
        self.c.n_words, self.c.stride_floats = in_rows.shape[0], in_rows.shape[1]
        if not 0 < self.c.dim <= self.c.stride_floats:
            raise ValueError(f"dim must be in 1..{self.c.stride_floats}, got {self.c.dim}")
        self.c.n_outputs = self.c.n_words
        if self.c.objective == W2V_HIERARCHICAL_SOFTMAX:
            self.c.n_outputs -= 1
        check_shape("out_rows", [out_rows.shape[0], out_rows.shape[1]],
                    [self.c.n_outputs, self.c.stride_floats])
        self.c.in_rows, self.c.out_rows = &in_rows[0, 0], &out_rows[0, 0]
        if arrays.out_bias is not None:
            out_bias = arrays.out_bias
            check_shape("out_bias", [out_bias.shape[0]], [self.c.n_outputs])
            self.c.out_bias = &out_bias[0]

    cdef set_hot_rows(self, settings):
        if settings.n_hot < 0:
            raise ValueError(f"n_hot must be at least 0, got {settings.n_hot}")
        self.c.n_hot_in = min(settings.n_hot, self.c.n_words)
        self.c.n_hot_out = min(settings.n_hot, self.c.n_outputs)
        if self.c.objective == W2V_HIERARCHICAL_SOFTMAX:  # the top of the tree comes last
            self.c.first_hot_out = self.c.n_outputs - self.c.n_hot_out

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
        if self.c.objective == W2V_NEGATIVE_SAMPLING:
            noise = arrays.noise
            check_shape("noise", [noise.shape[0]], [self.c.n_words])
            self.c.noise = &noise[0]
        elif self.c.objective == W2V_HIERARCHICAL_SOFTMAX:
            path_begin, path_steps = arrays.paths.begin, arrays.paths.steps
            check_shape("path_begin", [path_begin.shape[0]], [self.c.n_words + 1])
            check_shape("path_steps", [path_steps.shape[0]], [path_begin[self.c.n_words]])
            self.c.path_begin, self.c.path_steps = &path_begin[0], &path_steps[0]
            self.c.longest_path = arrays.paths.longest
        else:
            self.c.sgemm = load_sgemm()


cdef w2v_sgemm *load_sgemm() except NULL:
    # Looked up by capsule, not cimported: a cimport would load scipy with this module.
    from scipy.linalg import cython_blas
    capsule = cython_blas.__pyx_capi__["sgemm"]
    return <w2v_sgemm *>PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))


cdef class Worker:
    """One thread's private state and counters; chunks may hold up to max_tokens tokens."""

    cdef w2v_worker c
    cdef Model model
    cdef int64_t max_tokens
    cdef char[::1] scratch
    cdef uint8_t[::1] touched_in, touched_out

    def __init__(self, Model model, int64_t max_tokens, allocate):
        """Take scratch memory from allocate(n_bytes), a writable page-aligned buffer."""
        self.model = model
        self.max_tokens = max_tokens
        memset(&self.c, 0, sizeof(self.c))
        self.scratch = allocate(w2v_scratch_bytes(&model.c, max_tokens))
        if <uintptr_t>&self.scratch[0] % W2V_CACHE_LINE:
            raise ValueError(f"scratch must be aligned to {W2V_CACHE_LINE} bytes")
        self.c.scratch = &self.scratch[0]

    def train(self, chunk, uint64_t epoch_key, float lr):
        """Train the centres of a chunk at one learning rate; return how many were kept.

        chunk: fastw2v.corpus.ChunkData.  epoch_key: seeds every draw.  lr: >= 0.
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

    def note_touched(self, uint8_t[::1] touched_in, uint8_t[::1] touched_out):
        """Mark in (n_words,) and (n_outputs,) bytes the rows that train() may change.

        The full softmax changes all output rows and marks none of them.
        """
        check_shape("touched_in", [touched_in.shape[0]], [self.model.c.n_words])
        check_shape("touched_out", [touched_out.shape[0]], [self.model.c.n_outputs])
        self.touched_in, self.touched_out = touched_in, touched_out
        self.c.touched_in, self.c.touched_out = &touched_in[0], &touched_out[0]

    def counters(self):
        """Return the counts and the loss sum (nats) so far, by name."""
        return {
            "n_trained": self.c.n_trained,
            "n_subsampled": self.c.n_subsampled,
            "n_predictions": self.c.n_predictions,
            "n_loss_predictions": self.c.n_loss_predictions,
            "loss_sum": self.c.loss_sum,
        }


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


# --- corpus: counting and encoding ---

cdef extern from "tokens.h" nogil:
    enum:
        W2V_WORD_BATCH
        W2V_ARENA_PADDING
        W2V_DONE
        W2V_TABLE_FULL
        W2V_ARENA_FULL
        W2V_OUTPUT_FULL
    ctypedef struct w2v_words:
        uint64_t *slots
        int64_t *offsets
        int64_t *counts
        uint8_t *arena
        int64_t n_slots, max_words, max_arena_bytes, n_words
    ctypedef struct w2v_text:
        const uint8_t *bytes
        int64_t n_bytes, position
    ctypedef struct w2v_encoded:
        int32_t *word_ids
        int64_t *ends
        int64_t max_ids, max_ends, n_ids, n_ends
    int w2v_encode_text(w2v_words *words, w2v_text *text, w2v_encoded *out) noexcept
    int w2v_merge_words(w2v_words *words, const w2v_words *source, int64_t *position,
                        int64_t last, int32_t *new_ids) noexcept
    void w2v_rehash(w2v_words *words) noexcept
    void w2v_count_ids(const int32_t *word_ids, int64_t n_ids, int64_t *counts) noexcept
    void w2v_remap_ids(w2v_encoded *piece, const int32_t *new_ids) noexcept

WORD_BATCH = W2V_WORD_BATCH
ARENA_PADDING = W2V_ARENA_PADDING
DONE = W2V_DONE
TABLE_FULL = W2V_TABLE_FULL
ARENA_FULL = W2V_ARENA_FULL
OUTPUT_FULL = W2V_OUTPUT_FULL


cdef class WordTable:
    """Borrow the arrays of a word table; to grow it, make a new one on larger arrays.

    slots: (n_slots,) uint64, a power of two, all zero: filled here from the words.
    offsets: (max_words + 1,) int64, offsets[0] = 0.  counts: (max_words,) int64.
    arena: (max_arena_bytes + ARENA_PADDING,) uint8.  n_words: words already in the arrays.
    """

    cdef w2v_words c
    cdef object owners

    def __init__(self, uint64_t[::1] slots, int64_t[::1] offsets, int64_t[::1] counts,
                 uint8_t[::1] arena, int64_t n_words=0):
        cdef int64_t n_slots = slots.shape[0], max_words = counts.shape[0]
        if n_slots < 2 or n_slots & (n_slots - 1):
            raise ValueError(f"n_slots must be a power of two, got {n_slots}")
        if max_words < 1 or offsets.shape[0] != max_words + 1 or arena.shape[0] < ARENA_PADDING:
            raise ValueError("offsets needs one item more than counts, arena its padding")
        if not 0 <= n_words <= min(max_words, n_slots // 2):
            raise ValueError(f"n_words must be within the table, got {n_words}")
        self.owners = (slots, offsets, counts, arena)
        self.c = w2v_words(&slots[0], &offsets[0], &counts[0], &arena[0], n_slots, max_words,
                           arena.shape[0] - W2V_ARENA_PADDING, n_words)
        with nogil:
            w2v_rehash(&self.c)

    @property
    def n_words(self):
        """How many distinct words the table holds."""
        return self.c.n_words


cdef class TokenBuffer:
    """Borrow the arrays that encoded text goes into, and hold how full they are.

    word_ids: (max_ids,) int32.  ends: (max_ends,) int64, tokens before each sentence's end.
    """

    cdef w2v_encoded c
    cdef object owners

    def __init__(self, int32_t[::1] word_ids, int64_t[::1] ends, int64_t n_ids=0,
                 int64_t n_ends=0):
        if not (0 <= n_ids <= word_ids.shape[0] and 0 <= n_ends <= ends.shape[0]):
            raise ValueError(f"n_ids, n_ends must be within the arrays, got {n_ids}, {n_ends}")
        self.owners = (word_ids, ends)
        self.c.word_ids = &word_ids[0] if word_ids.shape[0] else NULL
        self.c.ends = &ends[0] if ends.shape[0] else NULL
        self.c.max_ids, self.c.max_ends = word_ids.shape[0], ends.shape[0]
        self.c.n_ids, self.c.n_ends = n_ids, n_ends

    @property
    def n_ids(self):
        """How many word ids are in use."""
        return self.c.n_ids

    @property
    def n_ends(self):
        """How many sentence ends are in use."""
        return self.c.n_ends


def encode_text(WordTable table not None, const uint8_t[::1] text, int64_t position,
                TokenBuffer out not None):
    """Split, hash and count text[position:], appending to `out`; return (code, position).

    text: (n_bytes,) uint8, begins and ends outside a word.
    Returns DONE, or what ran out of room and the position to go on from.
    """
    cdef w2v_text source
    cdef w2v_words words
    cdef w2v_encoded encoded
    cdef int code
    if not 0 <= position <= text.shape[0]:
        raise ValueError(f"position must be within the text, got {position}")
    if position == text.shape[0]:
        return W2V_DONE, position
    source.bytes, source.n_bytes, source.position = &text[0], text.shape[0], position
    # Python's objects lie side by side, and counters of two threads in one cache line are slow.
    words, encoded = table.c, out.c
    with nogil:
        code = w2v_encode_text(&words, &source, &encoded)
    table.c, out.c = words, encoded
    return code, source.position


def merge_words(WordTable table not None, WordTable source not None, int64_t position,
                int64_t last, int32_t[::1] new_ids):
    """Add words [position, last) of `source` with their counts; return (code, position).

    new_ids: (source.n_words,) int32, gets the ids these words have in `table`.
    """
    cdef int code
    if not 0 <= position <= last <= min(source.c.n_words, new_ids.shape[0]):
        raise ValueError(f"words {position} to {last} are not within the source")
    if position == last:
        return W2V_DONE, position
    with nogil:
        code = w2v_merge_words(&table.c, &source.c, &position, last, &new_ids[0])
    return code, position


def count_ids(const int32_t[::1] word_ids, int64_t[::1] counts):
    """Add 1 to counts[id] for every id.  word_ids: (n_ids,) in [0, n_words).

    counts: (n_words,) int64.
    """
    if word_ids.shape[0] and counts.shape[0]:
        with nogil:
            w2v_count_ids(&word_ids[0], word_ids.shape[0], &counts[0])


def remap_ids(TokenBuffer piece not None, const int32_t[::1] new_ids):
    """Replace each id by new_ids[id] in place, dropping those below 0 and emptied sentences.

    new_ids: (n_words,) int32, covers every id in the piece.
    """
    cdef w2v_encoded encoded = piece.c  # as in encode_text
    if new_ids.shape[0] and encoded.n_ids:
        with nogil:
            w2v_remap_ids(&encoded, &new_ids[0])
        piece.c = encoded


include "_core_text.pxi"


include "_core_phrases.pxi"
include "_core_rounds.pxi"
