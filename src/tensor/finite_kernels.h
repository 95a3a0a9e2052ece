#pragma once

#include <cstdint>

#include "device/on_device.h"

namespace wende::cpu {

/// No NaN and no infinity among n numbers in the device's memory. Waits.
bool finite(const float* x, int64_t n);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(finite)
