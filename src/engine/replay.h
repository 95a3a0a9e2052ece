#pragma once

#include <string>

#include "device/device.h"

namespace wende {

/// The debugging mode for one batch: reads /config, /inputs and /params of a case file (layout: docs/replay.md), runs
/// the network in both modes, differentiates, takes the config's train steps, and writes all numbers to `out`.
void replay(const std::string& case_path, const std::string& out_path, Device device = Device::cpu());

}  // namespace wende
