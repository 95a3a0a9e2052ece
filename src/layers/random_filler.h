#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende {

/// Random numbers of a tensor on the host, in C order; bit for bit TensorFlow's where only float32 sums and products
/// make them.
class RandomFiller {
 public:
  RandomFiller(const Tensor& target, const Philox& philox) : target_(target), philox_(philox) {}

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
  void constant(double value) {
    fill([&](uint64_t) { return value; });
  }
  void uniform(double low, double high);
  void normal(double mean, double stddev);
  void truncated_normal(double mean, double stddev);  ///< within two deviations
  /// W^T W = gain^2 on the shorter side. Throws kConfig below rank 2.
  void orthogonal(double gain);

 private:
  const Tensor& target_;
  Philox philox_;
};

}  // namespace wende
