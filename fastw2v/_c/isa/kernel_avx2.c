/* AVX2 with FMA. 16 registers: 12 sums, 3 + 1 operands. */
#include "isa/target.h"
#if defined(__x86_64__)
BEGIN_TARGET("avx2,fma,prfchw")
#define W2V_LANES 8
#define W2V_DOT_ROWS 3
#define W2V_TILE_ROWS 3
#define W2V_TILE_VECTORS 4
#define W2V_ROW_VECTORS 4
#define W2V_BACKEND w2v_backend_avx2
#define W2V_BACKEND_NAME "avx2"
#include "core/kernel.h"
END_TARGET
#endif
