// The one line of glue the emulation build needs: storage for the project's dynamic shared-memory symbol.
#include <cuda_runtime.h>

#include "cudasim.h"
alignas(16) __shared__ unsigned char wende_dynamic_shared[227 * 1024];
static cudasim::DynamicShared registered(wende_dynamic_shared, sizeof wende_dynamic_shared);
