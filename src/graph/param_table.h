#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// What a layer says of a variable when it is built. Values live elsewhere, by name, and outlive networks.
struct ParamSpec {
  std::string name;  ///< RETURNN's variable name without ":0": "lstm1/rec/W_re"
  DType dtype = DType::kFloat32;
  Shape shape;
  bool trainable = true;
  /// Fills a fresh tensor. Set by the layer from its initialiser option.
  std::function<void(const Tensor& target, uint64_t graph_seed)> init;
  std::string layer;  ///< absolute name of the owner
};

}  // namespace wende
