#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/param_table.h"
#include "tensor/tensor.h"

namespace wende {

/// Values of all parameters, by name, in one flat block (trainable ones first, in the order of `order`), with a
/// gradient block of the same layout for the trainable part. Outlives networks.
class ParamStore {
 public:
  /// Where gradients are to lie: called once with their bytes; null: anywhere.
  using GradientMemory = std::function<std::byte*(size_t)>;
  /// order: names of trainable parameters in the order in which backward finishes them (empty: order of specs).
  ParamStore(const std::vector<ParamSpec>& specs, const std::vector<std::string>& order, Device device = Device::cpu(),
             const GradientMemory& gradient_memory = nullptr);

  void initialize(uint64_t seed);  ///< runs every spec's init
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& trainable_names() const { return trainable_; }
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  const Tensor& value(const std::string& name) const;     ///< a view into the block
  const Tensor& gradient(const std::string& name) const;  ///< a view into the gradient block
  Tensor flat_values() const { return flat_values_; }
  Tensor flat_gradients() const { return flat_gradients_; }  ///< with extra_floats() at the end
  size_t offset(const std::string& name) const;              ///< in floats, trainable only
  static constexpr size_t extra_floats() { return 64; }

 private:
  std::vector<std::string> names_, trainable_;
  std::map<std::string, Tensor> values_, gradients_;
  std::map<std::string, size_t> offsets_;
  std::vector<ParamSpec> specs_;
  Tensor flat_values_, flat_gradients_;
};

}  // namespace wende
