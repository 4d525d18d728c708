/* The seam between Python and the kernels: every struct that crosses it.
   Python owns all memory named here; C allocates, prints and exits nothing. */
#ifndef W2V_API_H
#define W2V_API_H

#include <stdint.h>

enum { W2V_CACHE_LINE = 64 }; /* bytes; rows and worker states are aligned to it */

/* dispatch.c: one table of functions per instruction set, in rising order of width. */
int w2v_n_backends(void);
const char *w2v_backend_name(int backend);
int w2v_backend_supported(int backend); /* 1 if this CPU can run it */

#endif
