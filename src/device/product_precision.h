#pragma once

#include <string>

namespace wende {

/// How matrix products round their operands; they are float32 in memory and summed in float32 anyway.
enum class ProductPrecision {
  kFloat32,
  kTf32,  ///< 10 bits of mantissa
  kBf16,  ///< 7 bits of mantissa
};

/// "float32", "tf32", "bfloat16" or "bf16"; throws kUsage for anything else.
ProductPrecision product_precision_of(const std::string& name);

/// Of this process. A CPU without AMX, and its small products, keep to float32.
void set_product_precision(ProductPrecision precision);
ProductPrecision product_precision();

}  // namespace wende
