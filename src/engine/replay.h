#pragma once

#include <string>

#include "collective/communicator.h"
#include "device/device.h"

namespace wende {

/// The debugging mode for one batch: reads /config, /inputs and /params of a case file (layout: docs/replay.md), runs
/// the network in both modes, differentiates, takes the config's train steps, and writes all numbers to `out`; files
/// that the network writes are kept beside it, in `out`.files. Several
/// ranks share the batch's sequences; losses, gradients and parameters are then those of the whole batch, and nothing
/// else is written. Every rank calls it.
void replay(const std::string& case_path, const std::string& out_path, Device device, Communicator& communicator);

}  // namespace wende
