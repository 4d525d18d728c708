/* AVX-512 with the products by dot products of bfloat16 pairs. */
#include "isa/target.h"
#ifdef HAS_BFLOAT16_BACKEND
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,prfchw")
#define W2V_LANES 16
#define W2V_DOT_ROWS 4
#define W2V_TILE_ROWS 4
#define W2V_TILE_VECTORS 5
#define W2V_ROW_VECTORS 8
#define W2V_BFLOAT16_DOTS
#define W2V_ASKS_BETWEEN_TILES
#define W2V_BACKEND w2v_backend_avx512bf16
#define W2V_BACKEND_NAME "avx512bf16"
#include "core/kernel.h"
END_TARGET
#endif
