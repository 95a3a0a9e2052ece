#pragma once

#include "config/config.h"
#include "device/device.h"

namespace wende {

/// The config's `device` ("cpu", "gpu", "gpu:1"); without one the GPU of this rank if there is one.
/// A build without CUDA says so and takes the CPU, so that configs run everywhere.
/// The config's `matmul_precision` becomes that of the process.
Device training_device(const Config& config);

}  // namespace wende
