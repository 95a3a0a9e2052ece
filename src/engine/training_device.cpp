#include "engine/training_device.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/log.h"
#include "device/choose_device.h"
#include "device/product_precision.h"
#include "kernels/product_tiles.h"

namespace wende {
namespace {

Device device_of(const Config& config) {
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

}  // namespace

Device training_device(const Config& config) {
  const Value* precision = config.find("matmul_precision");
  set_product_precision(precision == nullptr ? ProductPrecision::kFloat32
                                             : product_precision_of(precision->as_string()));
  const Device device = device_of(config);
  if (product_precision() != ProductPrecision::kFloat32) {
    log_line(3, fmt::format("matmul_precision = '{}': {}", precision->as_string(),
                            device.is_cpu() && !cpu::amx_tiles()
                                ? "not on this processor (no AMX); products are float32"
                                : "products round their operands to it, at most, and sum in float32"));
  }
  return device;
}

}  // namespace wende
