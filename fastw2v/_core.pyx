"""Check, fill structs, release the GIL, call: the only door between Python and C."""

cdef extern from "api.h" nogil:
    int w2v_n_backends()
    const char *w2v_backend_name(int backend)
    int w2v_backend_supported(int backend)


def backends():
    """Return the names of the kernels that this CPU can run, slowest first."""
    return [w2v_backend_name(i).decode() for i in range(w2v_n_backends())
            if w2v_backend_supported(i)]
