/* 128-bit vectors: SSE2, which every x86-64 has, or NEON, which every aarch64 has.
   16 registers (SSE2): 8 sums, 4 + 1 operands. */
#define LANES 4
#define DOT_ROWS 2
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define ROW_VECTORS 4
#define BACKEND w2v_backend_vec128
#define BACKEND_NAME "vec128"
#include "core/kernel.h"
