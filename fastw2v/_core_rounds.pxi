# --- merging of the copies that workers trained ---

from cpython.mem cimport PyMem_Calloc, PyMem_Free

cdef extern from "merge.h" nogil:
    ctypedef struct w2v_merge:
        float *rows
        float **copies
        uint8_t **touched
        const float *gain
        int64_t n_rows
        int64_t n_copies
        int64_t stride_floats
        int32_t keep_marks
    void w2v_merge_rows(const w2v_merge *merge, int64_t part, int64_t n_parts) noexcept


cdef class RowMerge:
    """Adds what workers changed in copies of some rows to the rows, in a fixed order."""

    cdef w2v_merge c
    cdef object owners

    def __cinit__(self, float[:, ::1] rows, copies, touched, const float[::1] gain,
                  keep_marks=False):
        """Borrow rows (n_rows, width) float32 and equal copies of them.

        touched: for each copy the marks (n_rows,) uint8 of the rows that may have changed.
        gain: (n_rows,) float32, multiplies the sum of the changes.  keep_marks: leave the marks
        for another merge.
        """
        cdef float[:, ::1] copy
        cdef uint8_t[::1] marks
        cdef Py_ssize_t i, n = len(copies)
        check_shape("touched", [len(touched)], [n])
        check_shape("gain", [gain.shape[0]], [rows.shape[0]])
        self.owners = (rows, gain, list(copies), list(touched))
        self.c.rows, self.c.gain, self.c.keep_marks = &rows[0, 0], &gain[0], keep_marks
        self.c.n_rows, self.c.stride_floats, self.c.n_copies = rows.shape[0], rows.shape[1], n
        self.c.copies = <float **>PyMem_Calloc(n, sizeof(float *))
        self.c.touched = <uint8_t **>PyMem_Calloc(n, sizeof(uint8_t *))
        if self.c.copies == NULL or self.c.touched == NULL:
            raise MemoryError
        for i in range(n):
            copy, marks = copies[i], touched[i]
            check_shape("copy", [copy.shape[0], copy.shape[1]], [rows.shape[0], rows.shape[1]])
            check_shape("marks", [marks.shape[0]], [rows.shape[0]])
            self.c.copies[i], self.c.touched[i] = &copy[0, 0], &marks[0]

    def __dealloc__(self):
        PyMem_Free(self.c.copies)
        PyMem_Free(self.c.touched)

    def merge(self, int64_t part, int64_t n_parts):
        """Merge a part of the rows, set the copies to the result, and clear their marks."""
        if not 0 <= part < n_parts:
            raise ValueError(f"part must be within 0..{n_parts - 1}, got {part}")
        with nogil:
            w2v_merge_rows(&self.c, part, n_parts)
