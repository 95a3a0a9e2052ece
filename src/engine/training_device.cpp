#include "engine/training_device.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/log.h"
#include "device/choose_device.h"

namespace wende {

Device training_device(const Config& config, const Communicator& communicator) {
  const Value* value = config.find("device");
  const bool given = value != nullptr && value->is_string();
  if (!given) {
    return communicator.size() == 1 ? choose_device() : Device::cpu();
  }
  const std::string name = value->as_string();
  if (name == "cpu") {
    return Device::cpu();
  }
  if (!built_with_cuda()) {
    log_line(2, fmt::format("warning: device = '{}': this build has no CUDA, training on the CPU", name));
    return Device::cpu();
  }
  if (communicator.size() > 1) {
    throw value->error("several ranks on GPUs are not there yet").hint("one rank, or device = 'cpu'");
  }
  return choose_device(name);
}

}  // namespace wende
