/* AVX-512 with the products on AMX's tile registers. */
#include "isa/target.h"
#ifdef HAS_AMX_BACKEND
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,prfchw,amx-tile,amx-bf16")
#define W2V_LANES 16
#define W2V_DOT_ROWS 4
#define W2V_TILE_ROWS 4
#define W2V_TILE_VECTORS 5
#define W2V_ROW_VECTORS 8
#define W2V_MATRIX_UNIT
#define W2V_BACKEND w2v_backend_amx
#define W2V_BACKEND_NAME "amx"
#include "core/kernel.h"
END_TARGET
#endif
