/* AVX-512 with the products by dot products of bfloat16 pairs. */
#include "isa/target.h"
#ifdef HAS_BFLOAT16_BACKEND
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,prfchw")
#define LANES 16
#define DOT_ROWS 4
#define TILE_ROWS 4
#define TILE_VECTORS 5
#define ROW_VECTORS 8
#define BFLOAT16_DOTS
#define PREFETCH_BETWEEN_TILES
#define BACKEND w2v_backend_avx512bf16
#define BACKEND_NAME "avx512bf16"
#include "core/kernel.h"
END_TARGET
#endif
