# --- corpus: counting and encoding ---

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_DecodeUTF8

cdef extern from "Python.h":
    int PyUnicode_KIND(object text) noexcept
    const void *PyUnicode_DATA(object text) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(object text) noexcept

cdef extern from "text/hash_key.h" nogil:
    ctypedef struct w2v_hash_key:
        uint64_t low, high

cdef extern from "text/tokens.h" nogil:
    enum:
        W2V_WORD_BATCH
        W2V_MAX_WORD_BYTES
        W2V_ARENA_PADDING
        W2V_SLOTS_PER_WORD
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
        w2v_hash_key key
    ctypedef struct w2v_text:
        const uint8_t *bytes
        int64_t n_bytes, position
    ctypedef struct w2v_encoded:
        int32_t *word_ids
        int64_t *ends
        int64_t max_ids, max_ends, n_ids, n_ends, n_too_long
    int w2v_encode_text(w2v_words *words, w2v_text *text, w2v_encoded *out) noexcept
    int w2v_merge_words(w2v_words *words, const w2v_words *source, int64_t *position,
                        int64_t last, int32_t *new_ids) noexcept
    void w2v_rehash(w2v_words *words) noexcept
    void w2v_count_ids(const int32_t *word_ids, int64_t n_ids, int64_t *counts) noexcept
    void w2v_remap_ids(w2v_encoded *piece, const int32_t *new_ids) noexcept

cdef extern from "text/tokenize.h" nogil:
    enum:
        W2V_WORDS
        W2V_SIMPLE
    ctypedef struct w2v_tokenizer:
        int32_t rule, without_accents
        int64_t min_len, max_len
    int64_t W2V_TOKENIZED_BYTES(int64_t n_bytes) noexcept
    int64_t w2v_tokenize(const w2v_tokenizer *how, const uint8_t *text, int64_t n_bytes,
                         uint8_t *out) noexcept

cdef extern from "text/words_utf8.h" nogil:
    int64_t w2v_utf8_bytes(const void *characters, int width, int64_t n) noexcept
    uint8_t *w2v_write_utf8(const void *characters, int width, int64_t n, uint8_t *out) noexcept

cdef extern from "text/unicode_table.h":
    const char *W2V_UNICODE_VERSION

TOKENIZER_RULES = {"words": W2V_WORDS, "simple": W2V_SIMPLE}
UNICODE_VERSION = W2V_UNICODE_VERSION.decode("ascii")
WORD_BATCH = W2V_WORD_BATCH
MAX_WORD_BYTES = W2V_MAX_WORD_BYTES
ARENA_PADDING = W2V_ARENA_PADDING
SLOTS_PER_WORD = W2V_SLOTS_PER_WORD
DONE = W2V_DONE
TABLE_FULL = W2V_TABLE_FULL
ARENA_FULL = W2V_ARENA_FULL
OUTPUT_FULL = W2V_OUTPUT_FULL


cdef int take_key(key, w2v_hash_key *to) except -1:
    """Check the key of a hash: two integers in [0, 2**64), the second odd."""
    to.low, to.high = key
    if not to.high & 1:
        raise ValueError(f"the second half of key must be odd, got {to.high}")
    return 0


cdef class WordTable:
    """Borrow the arrays of a word table.  To grow it, make a new one on larger arrays.

    slots: (n_slots,) uint64, a power of two, all zero: filled here from the words.
    offsets: (max_words + 1,) int64, offsets[0] = 0.  counts: (max_words,) int64.
    arena: (max_arena_bytes + ARENA_PADDING,) uint8.  n_words: words already in the arrays.
    key: see take_key().
    """

    cdef w2v_words c
    cdef object owners

    def __init__(self, uint64_t[::1] slots, int64_t[::1] offsets, int64_t[::1] counts,
                 uint8_t[::1] arena, key, int64_t n_words=0):
        cdef int64_t n_slots = slots.shape[0], max_words = counts.shape[0]
        if n_slots < 2 or n_slots & (n_slots - 1):
            raise ValueError(f"n_slots must be a power of two, got {n_slots}")
        if max_words < 1 or offsets.shape[0] != max_words + 1 or arena.shape[0] < ARENA_PADDING:
            raise ValueError("offsets needs one item more than counts, arena its padding")
        if not 0 <= n_words <= min(max_words, n_slots // W2V_SLOTS_PER_WORD):
            raise ValueError(f"n_words must be within the table, got {n_words}")
        self.owners = (slots, offsets, counts, arena)
        take_key(key, &self.c.key)
        self.c.slots, self.c.n_slots = &slots[0], n_slots
        self.c.offsets, self.c.counts = &offsets[0], &counts[0]
        self.c.max_words, self.c.n_words = max_words, n_words
        self.c.arena, self.c.max_arena_bytes = &arena[0], arena.shape[0] - W2V_ARENA_PADDING
        with nogil:
            w2v_rehash(&self.c)

    @property
    def n_words(self):
        """How many distinct words the table holds."""
        return self.c.n_words


cdef class TokenBuffer:
    """Borrow the arrays for encoded text, and count what is in them.

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
        self.c.n_ids, self.c.n_ends, self.c.n_too_long = n_ids, n_ends, 0

    @property
    def n_ids(self):
        """How many word ids are in use."""
        return self.c.n_ids

    @property
    def n_ends(self):
        """How many sentence ends are in use."""
        return self.c.n_ends

    @property
    def n_too_long(self):
        """How many words were skipped, since they have more than MAX_WORD_BYTES."""
        return self.c.n_too_long


def tokenized_bytes(int64_t n_bytes):
    """Return the most bytes that tokenize() writes for a text of n_bytes."""
    return W2V_TOKENIZED_BYTES(n_bytes)


def tokenize(str rule not None, bint deacc, int64_t min_len, int64_t max_len,
             const uint8_t[::1] text, uint8_t[::1] out):
    """Write the tokens of a text to `out`, separated by spaces; return how many bytes.

    rule: one of TOKENIZER_RULES.  deacc, min_len, max_len: of "simple".
    out: holds tokenized_bytes(len(text)).
    """
    cdef w2v_tokenizer how
    cdef int64_t n_written
    if out.shape[0] < W2V_TOKENIZED_BYTES(text.shape[0]):
        raise ValueError(f"the tokens of {text.shape[0]} bytes do not fit {out.shape[0]}")
    how.rule, how.without_accents = TOKENIZER_RULES[rule], deacc
    how.min_len, how.max_len = min_len, max_len
    if text.shape[0] == 0:
        return 0
    with nogil:
        n_written = w2v_tokenize(&how, &text[0], text.shape[0], &out[0])
    return n_written


def encode_text(WordTable table not None, const uint8_t[::1] text, int64_t position,
                TokenBuffer out not None):
    """Split, hash and count text[position:], appending to `out`; return (code, position).

    text: (n_bytes,) uint8, begins and ends outside a word.
    Returns DONE, or what ran out of room and the position to continue from.
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
    # Local copies: two Python objects may share a cache line, which makes two threads slow.
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


def decode_words(const uint8_t[::1] arena, const int64_t[::1] offsets,
                 const int64_t[::1] word_ids):
    """Return the words of these ids; bytes that are not UTF-8 become surrogate escapes.

    arena, offsets: of a word table.  word_ids: (n,) int64 in [0, n_words).
    """
    cdef int64_t i, word_id, begin, end
    cdef const char *text = <const char *>&arena[0]
    cdef list words = [None] * word_ids.shape[0]
    for i in range(word_ids.shape[0]):
        word_id = word_ids[i]
        if not 0 <= word_id < offsets.shape[0] - 1:
            raise ValueError(f"word ids must be in [0, {offsets.shape[0] - 1}), got {word_id}")
        begin, end = offsets[word_id], offsets[word_id + 1]
        words[i] = PyUnicode_DecodeUTF8(text + begin, end - begin, "surrogateescape")
    return words


def join_words(list words not None, int64_t[::1] offsets):
    """Return the words in UTF-8, one after the other; None if one of them has a surrogate.

    words: n_words str.  offsets: (n_words + 1,) int64, gets the start of each, and the end of the
    last.
    """
    cdef Py_ssize_t i
    cdef int64_t n_bytes
    cdef uint8_t *at
    check_shape("offsets", [offsets.shape[0]], [len(words) + 1])
    offsets[0] = 0
    for i in range(len(words)):
        word = words[i]
        if not isinstance(word, str):
            raise TypeError(f"a word must be a string, got {word!r}")
        n_bytes = w2v_utf8_bytes(PyUnicode_DATA(word), PyUnicode_KIND(word),
                                 PyUnicode_GET_LENGTH(word))
        if n_bytes < 0:
            return None
        offsets[i + 1] = offsets[i] + n_bytes
    text = PyBytes_FromStringAndSize(NULL, offsets[len(words)])
    at = <uint8_t *>PyBytes_AS_STRING(text)
    for i in range(len(words)):
        word = words[i]
        at = w2v_write_utf8(PyUnicode_DATA(word), PyUnicode_KIND(word),
                            PyUnicode_GET_LENGTH(word), at)
    return text


def are_plain(tokens):
    """Return whether all items of a sequence are of type str or int, and not of a subclass."""
    for token in tokens:
        if not PyUnicode_CheckExact(token) and not PyLong_CheckExact(token):
            return False
    return True


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
