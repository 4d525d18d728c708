/* AVX-512. 32 registers: 16 to 20 sums, 4 + 1 operands. */
#include "isa/target.h"
#if defined(__x86_64__)
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prfchw")
#define LANES 16
#define DOT_ROWS 4
#define TILE_ROWS 4
#define TILE_VECTORS 5
#define ROW_VECTORS 8
#define BACKEND w2v_backend_avx512
#define BACKEND_NAME "avx512"
#include "core/kernel.h"
END_TARGET
#endif
