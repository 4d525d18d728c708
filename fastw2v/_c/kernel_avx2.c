/* AVX2 with FMA. 16 registers: 8 sums, 4 + 1 operands. */
#include "target.h"
#if defined(__x86_64__)
BEGIN_TARGET("avx2,fma")
#define W2V_LANES 8
#define W2V_DOT_ROWS 2
#define W2V_TILE_VECTORS 2
#define W2V_BACKEND w2v_backend_avx2
#define W2V_BACKEND_NAME "avx2"
#include "kernel.h"
END_TARGET
#endif
