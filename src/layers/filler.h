#pragma once

#include <string>
#include <type_traits>

#include "base/error.h"
#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende {

/// Random numbers of one array, in C order; bit for bit TensorFlow's where only float32 sums and products make them.
class Filler {
 public:
  Filler(const Tensor& target, const Philox& philox) : target_(target), philox_(philox) {}

  /// Element i becomes value(i).
  template <class F>
  void fill(F&& value) {
    const auto write = [&](auto* data) {
      for (int64_t i = 0; i < target_.elements(); ++i) {
        data[i] = static_cast<std::remove_pointer_t<decltype(data)>>(value(static_cast<uint64_t>(i)));
      }
    };
    switch (target_.dtype()) {
      case DType::kFloat32:
        return write(target_.data<float>());
      case DType::kFloat64:
        return write(target_.data<double>());
      case DType::kInt32:
        return write(target_.data<int32_t>());
      case DType::kInt64:
        return write(target_.data<int64_t>());
      default:
        throw internal_error("no initialiser for dtype " + std::string(name_of(target_.dtype())));
    }
  }
  void constant(double value);
  void uniform(double low, double high);
  void normal(double mean, double stddev);
  void truncated_normal(double mean, double stddev);  ///< within two standard deviations
  void orthogonal(double gain);                       ///< kConfig if the rank is below 2

 private:
  const Tensor& target_;
  Philox philox_;
};

}  // namespace wende
