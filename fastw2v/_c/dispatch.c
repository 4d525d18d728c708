/* Which kernels this build holds and which of them this CPU can run. */
#include "api.h"

static const char *const BACKEND_NAMES[] = {
    "scalar",
    "vec128",
#if defined(__x86_64__)
    "avx2",
    "avx512",
#endif
};

int w2v_n_backends(void) { return (int)(sizeof BACKEND_NAMES / sizeof *BACKEND_NAMES); }

const char *w2v_backend_name(int backend) { return BACKEND_NAMES[backend]; }

int w2v_backend_supported(int backend)
{
#if defined(__x86_64__)
    if (backend == 2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (backend == 3)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return backend < 2;
}
