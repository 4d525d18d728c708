/* AVX-512 with the products on AMX's tile registers. */
#include "isa/target.h"
#ifdef HAS_AMX_BACKEND
BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,prfchw,amx-tile,amx-bf16")
#define LANES 16
#define DOT_ROWS 4
#define TILE_ROWS 4
#define TILE_VECTORS 5
#define ROW_VECTORS 8
#define MATRIX_UNIT
#define BACKEND w2v_backend_amx
#define BACKEND_NAME "amx"
#include "core/kernel.h"
END_TARGET
#endif
