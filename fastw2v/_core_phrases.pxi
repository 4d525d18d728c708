# --- phrases ---

cdef extern from "text/phrases.h" nogil:
    enum:
        W2V_PAIRS_DONE
        W2V_PAIRS_FULL
        W2V_STARTS_FULL
        W2V_WORD_BITS
        W2V_MAX_PAIR_SHARES
    uint64_t W2V_FIRST_LONG_START
    ctypedef struct w2v_pair:
        uint64_t key
        int64_t value
    ctypedef struct w2v_pair_table:
        w2v_pair *slots
        uint64_t *long_keys
        int64_t n_slots, n_used, max_long, n_long
        uint64_t *filter
        int64_t n_filter
        w2v_hash_key key
    ctypedef struct w2v_stretch:
        const int32_t *word_ids
        const int64_t *ends
        const uint8_t *is_connector
        int64_t n_ids, n_ends, position, n_ends_past, start
    ctypedef struct w2v_merged:
        int32_t *word_ids
        int64_t *ends
        int64_t n_ids, n_ends, n_phrases
    ctypedef struct w2v_selected:
        uint64_t *starts
        int64_t *words
        int64_t *counts
        int64_t least, first_long
    ctypedef struct w2v_sentence_writer:
        const uint8_t *arena
        const int64_t *offsets
        uint8_t *text
        int64_t max_bytes, n_bytes
    int w2v_count_pairs(w2v_pair_table *table, w2v_stretch *stretch, int share,
                        int n_shares) noexcept
    void w2v_move_pairs(w2v_pair_table *table, const w2v_pair_table *source) noexcept
    int64_t w2v_select_pairs(const w2v_pair_table *table, const uint8_t *is_connector,
                             w2v_selected *out) noexcept
    void w2v_add_pairs(w2v_pair_table *table, const uint64_t *keys, const int64_t *values,
                       int64_t n) noexcept
    void w2v_merge_pairs(const w2v_pair_table *table, w2v_stretch *stretch,
                         w2v_merged *out) noexcept
    void w2v_write_sentences(w2v_sentence_writer *writer, w2v_stretch *stretch) noexcept

PAIRS_DONE = W2V_PAIRS_DONE
PAIRS_FULL = W2V_PAIRS_FULL
STARTS_FULL = W2V_STARTS_FULL
WORD_BITS = W2V_WORD_BITS
FIRST_LONG_START = W2V_FIRST_LONG_START


cdef class TokenStretch:
    """A stretch of word ids, and how much of it is done.

    word_ids: (n_ids,) int32.  ends: (n_ends,) int64, ascending, > 0, ids before each sentence's
    end.  is_connector: (n_words,) uint8, covers every id.  start: what count_pairs left.
    """

    cdef w2v_stretch c
    cdef object owners

    def __init__(self, const int32_t[::1] word_ids, const int64_t[::1] ends,
                 const uint8_t[::1] is_connector, int64_t start=-1):
        self.owners = (word_ids, ends, is_connector)
        self.c.word_ids = &word_ids[0] if word_ids.shape[0] else NULL
        self.c.ends = &ends[0] if ends.shape[0] else NULL
        self.c.is_connector = &is_connector[0] if is_connector.shape[0] else NULL
        self.c.n_ids, self.c.n_ends = word_ids.shape[0], ends.shape[0]
        self.c.position = self.c.n_ends_past = 0
        self.c.start = start

    @property
    def position(self):
        """Ids done so far."""
        return self.c.position

    @property
    def start(self):
        """The start of a pair that the next stretch may end, -1 for none."""
        return self.c.start


cdef class PairTable:
    """Borrow the arrays of a table of pairs.  To grow it, make a new one on larger arrays.

    slots: (n_slots,) of uint64 key and int64 value, all zero.
    long_keys: (max_long,) uint64, of which n_long are in use.  source: pairs to start with.
    key: see take_key().
    filter: (n,) uint64, a power of two, all zero, of a table to be added to and merged by.
    """

    cdef w2v_pair_table c
    cdef object owners

    def __init__(self, w2v_pair[::1] slots, uint64_t[::1] long_keys, key, int64_t n_long=0,
                 PairTable source=None, uint64_t[::1] filter=None):
        cdef int64_t n_slots = slots.shape[0]
        if n_slots < 2:
            raise ValueError(f"n_slots must be at least 2, got {n_slots}")
        if not 0 <= n_long <= long_keys.shape[0]:
            raise ValueError(f"n_long must be within long_keys, got {n_long}")
        if source is not None and source.c.n_used >= n_slots:
            raise ValueError(f"{n_slots} slots do not hold {source.c.n_used} pairs")
        cdef int64_t n_filter = 0 if filter is None else filter.shape[0]
        if n_filter & (n_filter - 1):
            raise ValueError(f"filter must be a power of two long, got {n_filter}")
        self.owners = (slots, long_keys, filter)
        take_key(key, &self.c.key)
        self.c.filter, self.c.n_filter = &filter[0] if n_filter else NULL, n_filter
        self.c.slots, self.c.n_slots, self.c.n_used = &slots[0], n_slots, 0
        self.c.long_keys = NULL
        if long_keys.shape[0]:
            self.c.long_keys = &long_keys[0]
        self.c.max_long, self.c.n_long = long_keys.shape[0], n_long
        if source is not None:
            with nogil:
                w2v_move_pairs(&self.c, &source.c)

    @property
    def n_used(self):
        """How many slots are in use."""
        return self.c.n_used

    @property
    def n_long(self):
        """How many starts are longer than a word."""
        return self.c.n_long

    def use_long_keys(self, uint64_t[::1] long_keys):
        """Continue with a larger array that starts with the keys in use."""
        if long_keys.shape[0] < self.c.n_long:
            raise ValueError(f"long_keys must hold {self.c.n_long} keys, got {long_keys.shape[0]}")
        self.owners = (self.owners[0], long_keys, self.owners[2])
        self.c.long_keys, self.c.max_long = &long_keys[0], long_keys.shape[0]

    def add(self, const uint64_t[::1] keys, const int64_t[::1] values):
        """Add distinct new pairs, (n,) keys and values."""
        cdef int64_t n = keys.shape[0]
        check_shape("values", [values.shape[0]], [n])
        if self.c.n_used + n >= self.c.n_slots:
            raise ValueError(f"{self.c.n_slots} slots do not hold {self.c.n_used + n} pairs")
        if self.c.n_filter == 0:
            raise ValueError("a table to be added to has a filter")
        if n:
            with nogil:
                w2v_add_pairs(&self.c, &keys[0], &values[0], n)

    def select(self, const uint8_t[::1] is_connector, uint64_t[::1] starts, int64_t[::1] words,
               int64_t[::1] counts, int64_t least, int64_t first_long):
        """Copy the pairs seen `least` times or more; return how many there are.

        is_connector: (n_words,), a pair that ends with one is a start.
        starts, words, counts: (n_used - n_long,).  first_long: added to the numbers of starts that
        are longer than a word.
        """
        cdef w2v_selected out
        cdef int64_t n = self.c.n_used - self.c.n_long
        check_shape("starts", [starts.shape[0]], [n])
        check_shape("words", [words.shape[0]], [n])
        check_shape("counts", [counts.shape[0]], [n])
        if n == 0:
            return 0
        out.starts, out.words, out.counts = &starts[0], &words[0], &counts[0]
        out.least, out.first_long = least, first_long
        with nogil:
            n = w2v_select_pairs(&self.c, &is_connector[0], &out)
        return n

    def count(self, TokenStretch stretch not None, int share, int n_shares):
        """Count this share of the pairs of a stretch; return PAIRS_DONE or what is full."""
        cdef int code
        if not 0 <= share < n_shares <= W2V_MAX_PAIR_SHARES:
            raise ValueError(f"share must be below {n_shares} <= {W2V_MAX_PAIR_SHARES}, "
                             f"got {share}")
        with nogil:
            code = w2v_count_pairs(&self.c, &stretch.c, share, n_shares)
        return code

    def merge(self, TokenStretch stretch not None, int32_t[::1] word_ids, int64_t[::1] ends):
        """Replace pairs by their values; return (n_ids, n_ends, n_phrases) written.

        word_ids, ends: at least as long as the stretch's.
        """
        cdef w2v_merged out
        if word_ids.shape[0] < stretch.c.n_ids or ends.shape[0] < stretch.c.n_ends:
            raise ValueError("the arrays are shorter than the stretch")
        if self.c.n_filter == 0:
            raise ValueError("a table to merge by has a filter")
        memset(&out, 0, sizeof(out))
        if stretch.c.n_ids == 0:
            return 0, 0, 0
        out.word_ids = &word_ids[0]
        out.ends = &ends[0] if ends.shape[0] else NULL
        with nogil:
            w2v_merge_pairs(&self.c, &stretch.c, &out)
        return out.n_ids, out.n_ends, out.n_phrases


def write_sentences(TokenStretch stretch not None, const uint8_t[::1] arena,
                    const int64_t[::1] offsets, uint8_t[::1] text):
    """Fill text with words; return its bytes.  The stretch is done when position is its length.

    arena, offsets: word i is arena[offsets[i]:offsets[i + 1]].  text: holds any word.
    """
    cdef w2v_sentence_writer writer
    writer.arena, writer.offsets = &arena[0] if arena.shape[0] else NULL, &offsets[0]
    writer.text, writer.max_bytes, writer.n_bytes = &text[0], text.shape[0], 0
    with nogil:
        w2v_write_sentences(&writer, &stretch.c)
    if writer.n_bytes == 0 and stretch.c.position < stretch.c.n_ids:
        raise ValueError(f"{text.shape[0]} bytes hold no word")
    return writer.n_bytes
