/* One float at a time: for CPUs without any of the vector units below. */
#define W2V_LANES 1
#define W2V_DOT_ROWS 2
#define W2V_TILE_ROWS 4
#define W2V_TILE_VECTORS 2
#define W2V_ROW_VECTORS 4
#define W2V_BACKEND w2v_backend_scalar
#define W2V_BACKEND_NAME "scalar"
#include "core/kernel.h"
