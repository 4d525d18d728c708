/* Which kernels this build has, and which of them this CPU can run. */
#include "core/api.h"
#include "isa/target.h"

extern const w2v_backend w2v_backend_scalar, w2v_backend_vec128;
#if defined(__x86_64__)
extern const w2v_backend w2v_backend_avx2, w2v_backend_avx512;
#endif
#ifdef HAS_BFLOAT16_BACKEND
extern const w2v_backend w2v_backend_avx512bf16;
#endif
#ifdef HAS_AMX_BACKEND
extern const w2v_backend w2v_backend_amx;
#endif

static const w2v_backend *const BACKENDS[] = {
    &w2v_backend_scalar,
    &w2v_backend_vec128,
#if defined(__x86_64__)
    &w2v_backend_avx2,
    &w2v_backend_avx512,
#endif
#ifdef HAS_BFLOAT16_BACKEND
    &w2v_backend_avx512bf16,
#endif
#ifdef HAS_AMX_BACKEND
    &w2v_backend_amx,
#endif
};

const w2v_backend *w2v_get_backend(int index)
{
    int n = (int)(sizeof BACKENDS / sizeof *BACKENDS);
    if (index >= n)
        return NULL;
#ifdef HAS_BFLOAT16_BACKEND
    /* Intel's vector units multiply bfloat16 no faster than float32: skip-gram takes 1.45 times
       as long with it on a Xeon. */
    if (__builtin_cpu_is("intel")) {
        if (BACKENDS[index] == &w2v_backend_avx512)
            return &w2v_backend_avx512bf16;
        if (BACKENDS[index] == &w2v_backend_avx512bf16)
            return &w2v_backend_avx512;
    }
#endif
    return BACKENDS[index];
}

#ifdef HAS_AMX_BACKEND
#include <cpuid.h>
#include <unistd.h>
#include <sys/syscall.h>

/* A process must ask Linux for the tile registers, which add 8 KB to a thread's saved state; some
   sandboxes refuse. */
static int has_amx(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1))
        return 0;
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1))
        return 0;
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
#endif

#if defined(__x86_64__)
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

int w2v_backend_supported(int index)
{
    const w2v_backend *backend = w2v_get_backend(index);
#if defined(__x86_64__)
    if (backend == &w2v_backend_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (backend == &w2v_backend_avx512)
        return has_avx512();
#endif
#ifdef HAS_BFLOAT16_BACKEND
    if (backend == &w2v_backend_avx512bf16)
        return has_avx512() && __builtin_cpu_supports("avx512bf16");
#endif
#ifdef HAS_AMX_BACKEND
    if (backend == &w2v_backend_amx)
        return has_avx512() && __builtin_cpu_supports("avx512bf16") && has_amx();
#endif
    (void)backend;
    return 1;
}

int w2v_prefetch_for_write(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_is("amd");
#else
    return 0;
#endif
}
