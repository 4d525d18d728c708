/* In place of core/dispatch.c: the scalar kernel alone, which compiles in a tenth of the time. */
#include <stddef.h>

#include "core/api.h"

extern const w2v_backend w2v_backend_scalar;

const w2v_backend *w2v_get_backend(int index) { return index ? NULL : &w2v_backend_scalar; }

int w2v_backend_supported(int index) { return index == 0; }
