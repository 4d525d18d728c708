# --- vectors as text ---

cdef extern from "text/vector_text.h" nogil:
    enum:
        W2V_ROWS_DONE
        W2V_ROWS_FULL
        W2V_ROWS_BAD_LINE
        W2V_ROWS_HARD
        W2V_VALUE_BYTES
    ctypedef struct w2v_row_reader:
        const uint8_t *text
        float *rows
        int64_t *words
        int64_t *hard
        int64_t n_bytes, position, dim, max_rows, max_hard, n_rows, n_hard
        int32_t has_words
        uint8_t separator
    ctypedef struct w2v_row_writer:
        const float *rows
        const uint8_t *words
        const int64_t *word_offsets
        uint8_t *text
        int64_t n_rows, stride_floats, dim, max_bytes, n_bytes, row, value
        uint8_t separator
        int32_t separator_at_end
    int w2v_parse_rows(w2v_row_reader *reader) noexcept
    int w2v_write_rows(w2v_row_writer *writer) noexcept

ROWS_DONE = W2V_ROWS_DONE
ROWS_FULL = W2V_ROWS_FULL
ROWS_BAD_LINE = W2V_ROWS_BAD_LINE
ROWS_HARD = W2V_ROWS_HARD
VALUE_BYTES = W2V_VALUE_BYTES


def parse_rows(const uint8_t[::1] text, int64_t position, float[:, ::1] rows,
               int64_t[:, ::1] words, int64_t[:, ::1] hard, layout):
    """Parse the whole lines of text[position:]; return (code, position, n_rows, n_hard).

    rows: (max_rows, dim) float32, dim >= 1.  words: (max_rows, 2) int64, where each word begins
    and ends.  hard: (max_hard >= dim, 3) int64: index into the flat rows, begin and end of the
    numbers that are left to the caller.  layout: fastw2v.formats.text_rows.Layout.
    Returns ROWS_DONE when no whole line is left, ROWS_FULL when there is no room, or
    ROWS_BAD_LINE with the position of that line.
    """
    cdef w2v_row_reader reader
    cdef int code
    check_shape("words", [words.shape[0], words.shape[1]], [rows.shape[0], 2])
    check_shape("hard", [hard.shape[1]], [3])
    if not 0 <= position <= text.shape[0]:
        raise ValueError(f"position must be within the text, got {position}")
    if rows.shape[1] < 1 or hard.shape[0] < rows.shape[1]:
        raise ValueError(f"hard must have room for a row of {rows.shape[1]} values")
    if position == text.shape[0] or rows.shape[0] == 0:
        return W2V_ROWS_DONE if position == text.shape[0] else W2V_ROWS_FULL, position, 0, 0
    memset(&reader, 0, sizeof(reader))
    reader.text, reader.n_bytes, reader.position = &text[0], text.shape[0], position
    reader.rows, reader.max_rows, reader.dim = &rows[0, 0], rows.shape[0], rows.shape[1]
    reader.words = &words[0, 0]
    reader.hard, reader.max_hard = &hard[0, 0], hard.shape[0]
    reader.separator = ord(layout.separator)
    reader.has_words = layout.has_words
    with nogil:
        code = w2v_parse_rows(&reader)
    return code, reader.position, reader.n_rows, reader.n_hard


cdef class RowText:
    """Rows to write as text: write() fills a buffer and says what to do next.

    rows: (n_rows, dim) float32, the values of a row side by side.  words: the (n_bytes,) uint8
    of all words, or None to write none; word i is words[offsets[i]:offsets[i + 1]].
    layout: fastw2v.formats.text_rows.Layout.
    """

    cdef w2v_row_writer c
    cdef object owners

    def __init__(self, const float[:, :] rows, const uint8_t[::1] words,
                 const int64_t[::1] offsets, layout):
        cdef int64_t i
        memset(&self.c, 0, sizeof(self.c))
        self.c.n_rows, self.c.dim = rows.shape[0], rows.shape[1]
        if self.c.dim < 1:
            raise ValueError("there is nothing to write in rows without values")
        if self.c.n_rows == 0:
            return
        if rows.strides[0] % 4 or (self.c.dim > 1 and rows.strides[1] != 4):
            raise ValueError("the values of a row must lie side by side")
        self.owners = (rows, words, offsets)
        self.c.rows, self.c.stride_floats = &rows[0, 0], rows.strides[0] // 4
        if words is not None:
            check_shape("offsets", [offsets.shape[0]], [self.c.n_rows + 1])
            for i in range(self.c.n_rows):
                if not 0 <= offsets[i] <= offsets[i + 1] <= words.shape[0]:
                    raise ValueError(f"word {i} is not within the words")
            self.c.words = &words[0]
            self.c.word_offsets = &offsets[0]
        self.c.separator = ord(layout.separator)
        self.c.separator_at_end = layout.separator_at_end

    def write(self, uint8_t[::1] text):
        """Fill the buffer from its start; return (code, n_bytes).

        text: holds the longest word and 2 * VALUE_BYTES.
        Returns ROWS_DONE, ROWS_FULL to be called again, or ROWS_HARD: write the value at
        `place` with its separator and call skip().
        """
        cdef int code
        self.c.text, self.c.max_bytes, self.c.n_bytes = &text[0], text.shape[0], 0
        with nogil:
            code = w2v_write_rows(&self.c)
        if code == W2V_ROWS_FULL and self.c.n_bytes == 0:
            raise ValueError(f"a buffer of {text.shape[0]} bytes holds no value")
        return code, self.c.n_bytes

    @property
    def place(self):
        """Row and column of the next value."""
        return self.c.row, self.c.value

    def skip(self):
        """Skip a value that was left to the caller."""
        self.c.value += 1
        if self.c.value == self.c.dim:
            self.c.row, self.c.value = self.c.row + 1, 0


# --- fastText's n-grams ---

cdef extern from "text/subwords.h" nogil:
    ctypedef struct w2v_subwords:
        const uint8_t *rows
        int64_t n_words, n_buckets, dim, shortest, longest
    int64_t w2v_subword_mean(const w2v_subwords *model, int64_t row, const uint8_t *text,
                             int64_t n_bytes, float *mean) noexcept


def subword_means(const uint8_t[::1] rows, int64_t n_words, n_grams, words,
                  float[:, ::1] means):
    """Fill means (n_means, dim) with fastText's vectors of the first words; return rows added.

    rows: bytes of (n_words + n_buckets, dim) float32.  n_grams: n_buckets in 1..2^31 - 1, and
    the shortest and longest length in characters.  words: n_means <= n_words of bytes, each
    between `<` and `>`, or None to take its own row only.
    """
    cdef w2v_subwords model
    cdef int64_t row, n_rows = 0
    cdef const uint8_t[::1] word
    model.n_words, model.dim = n_words, means.shape[1]
    model.n_buckets, model.shortest, model.longest = n_grams
    check_shape("rows", [rows.shape[0]], [4 * (n_words + model.n_buckets) * model.dim])
    check_shape("words", [len(words)], [means.shape[0]])
    if not 0 < model.n_buckets < 1 << 31 or means.shape[0] > n_words:
        raise ValueError(f"{model.n_buckets} buckets and {means.shape[0]} words do not fit")
    if means.shape[0] == 0:
        return 0
    model.rows = &rows[0]
    for row in range(means.shape[0]):
        text = words[row]
        word = text or b"-"
        n_rows += w2v_subword_mean(&model, row, &word[0], 0 if text is None else len(text),
                                   &means[row, 0])
    return n_rows
