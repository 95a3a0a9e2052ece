#include "device/product_precision.h"

#include <fmt/core.h>

#include <atomic>

#include "base/error.h"

namespace wende {
namespace {

std::atomic<ProductPrecision> current{ProductPrecision::kFloat32};

}  // namespace

ProductPrecision product_precision_of(const std::string& name) {
  if (name == "float32") return ProductPrecision::kFloat32;
  if (name == "tf32") return ProductPrecision::kTf32;
  if (name == "bfloat16" || name == "bf16") return ProductPrecision::kBf16;
  throw Error(ExitStatus::kUsage, fmt::format("matmul_precision is '{}'", name)).hint("float32, tf32 or bfloat16");
}

void set_product_precision(ProductPrecision precision) { current = precision; }
ProductPrecision product_precision() { return current; }

}  // namespace wende
