/* One float at a time: for CPUs without any of the vector units below. */
#define LANES 1
#define DOT_ROWS 2
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define ROW_VECTORS 4
#define BACKEND w2v_backend_scalar
#define BACKEND_NAME "scalar"
#include "core/kernel.h"
