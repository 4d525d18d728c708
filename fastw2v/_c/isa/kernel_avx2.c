/* AVX2 with FMA. 16 registers: 12 sums, 3 + 1 operands. */
#include "isa/target.h"
#if defined(__x86_64__)
BEGIN_TARGET("avx2,fma,prfchw")
#define LANES 8
#define DOT_ROWS 3
#define TILE_ROWS 3
#define TILE_VECTORS 4
#define ROW_VECTORS 4
#define BACKEND w2v_backend_avx2
#define BACKEND_NAME "avx2"
#include "core/kernel.h"
END_TARGET
#endif
