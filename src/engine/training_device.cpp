#include "engine/training_device.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/log.h"
#include "device/choose_device.h"

namespace wende {

Device training_device(const Config& config) {
  const Value* value = config.find("device");
  const bool given = value != nullptr && value->is_string();
  if (!given) {
    return choose_device();
  }
  const std::string name = value->as_string();
  if (name == "cpu") {
    return Device::cpu();
  }
  if (!built_with_cuda()) {
    log_line(2, fmt::format("warning: device = '{}': this build has no CUDA, training on the CPU", name));
    return Device::cpu();
  }
  return choose_device(name);
}

}  // namespace wende
