#pragma once

#include <string>

#include "device/device.h"

namespace wende {

/// "cpu"; "gpu" (also "cuda"): the GPU of this process's rank on its machine; "gpu1", "cuda:1": that one. Anything
/// else, or a GPU that is not there, throws kUsage.
Device choose_device(const std::string& name);
/// The GPU if this build and the machine have one, else the CPU.
Device choose_device();
bool built_with_cuda();
/// "cpu", or the GPU's name, capability, memory, CUDA version and bus address.
std::string device_text(Device device);

/// Number of this process among those of the job on its machine, from the launcher's environment; 0 without one.
int local_rank();

}  // namespace wende
