#include <nvtx3/nvToolsExt.h>

#include "device/cuda_memory.h"

namespace wende::cuda {

void push_range(const char* name) { nvtxRangePushA(name); }
void pop_range() { nvtxRangePop(); }

}  // namespace wende::cuda
