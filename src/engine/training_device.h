#pragma once

#include "collective/communicator.h"
#include "config/config.h"
#include "device/device.h"

namespace wende {

/// The config's `device` ("cpu", "gpu", "gpu:1"); without one the GPU if there is one and this is the only rank.
/// A build without CUDA says so and takes the CPU, so that configs run everywhere.
Device training_device(const Config& config, const Communicator& communicator);

}  // namespace wende
