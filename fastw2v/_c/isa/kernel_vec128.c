/* 128-bit vectors: SSE2, which every x86-64 has, or NEON, which every aarch64 has.
   16 registers (SSE2): 8 sums, 4 + 1 operands. */
#define W2V_LANES 4
#define W2V_DOT_ROWS 2
#define W2V_TILE_ROWS 4
#define W2V_TILE_VECTORS 2
#define W2V_ROW_VECTORS 4
#define W2V_BACKEND w2v_backend_vec128
#define W2V_BACKEND_NAME "vec128"
#include "core/kernel.h"
