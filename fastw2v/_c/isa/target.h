/* Code between BEGIN_TARGET and END_TARGET is compiled for more than the baseline CPU. System
   headers are included before, so that none of their inline functions is. */
#ifndef W2V_TARGET_H
#define W2V_TARGET_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#if defined(__clang__) ? __clang_major__ >= 9 : __GNUC__ >= 10
#define HAS_BFLOAT16_BACKEND 1
#endif
#endif

/* AMX needs a compiler that knows it, and Linux, which hands out its registers on request. */
#if defined(__x86_64__) && defined(__linux__)
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
#define HAS_AMX_BACKEND 1
#endif
#endif

#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define BEGIN_TARGET(list) \
    PRAGMA(clang attribute push(__attribute__((target(list))), apply_to = function))
#define END_TARGET _Pragma("clang attribute pop")
#else
#define BEGIN_TARGET(list) _Pragma("GCC push_options") PRAGMA(GCC target(list))
#define END_TARGET _Pragma("GCC pop_options")
#endif

#endif
