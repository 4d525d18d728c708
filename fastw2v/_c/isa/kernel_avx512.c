/* AVX-512. 32 registers: 16 to 20 sums, 4 + 1 operands. */
#include "isa/target.h"
#if defined(__x86_64__)
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prfchw")
#define W2V_LANES 16
#define W2V_DOT_ROWS 4
#define W2V_TILE_ROWS 4
#define W2V_TILE_VECTORS 5
#define W2V_ROW_VECTORS 8
#define W2V_BACKEND w2v_backend_avx512
#define W2V_BACKEND_NAME "avx512"
#include "core/kernel.h"
END_TARGET
#endif
