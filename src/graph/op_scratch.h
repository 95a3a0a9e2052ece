#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// Working memory of one op call: chunks that stay allocated, handed out from the front.
class OpScratch {
 public:
  explicit OpScratch(Device device) : device_(device) {}
  Tensor take(DType dtype, const Shape& shape) {
    const size_t bytes = std::max<size_t>(static_cast<size_t>(shape.elements()) * size_of(dtype), 1);
    while (next_ < chunks_.size() && chunks_[next_]->bytes() < bytes) {
      chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(next_));
    }
    if (next_ == chunks_.size()) {
      chunks_.push_back(Buffer::allocate(bytes + bytes / 4, device_));
    }
    return Tensor::wrap(dtype, shape, chunks_[next_++]->data(), nullptr, device_);
  }
  void reset() { next_ = 0; }

 private:
  Device device_;
  std::vector<std::shared_ptr<Buffer>> chunks_;
  size_t next_ = 0;
};

}  // namespace wende
