#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "graph/program.h"
#include "tensor/tensor.h"

namespace wende {

/// Everything about a run that depends on sizes only.
struct SizedPlan {
  std::vector<Shape> shapes;    ///< by value
  std::vector<size_t> offsets;  ///< by value; arena values only
  size_t bytes = 0;
  std::vector<Tensor> tensors;  ///< by value, views of the arena at `base`
  const std::byte* base = nullptr;

  /// Shapes, and places in one arena, for these sizes of the program's dims: of steps [begin, stop).
  void lay_out(const Graph& graph, const Program& program, const std::vector<int64_t>& sizes, size_t begin,
               size_t stop);
};

/// Working memory of one op call: chunks that stay allocated, handed out from the front.
class Scratch {
 public:
  explicit Scratch(Device device) : device_(device) {}
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

/// The largest values of a plan, with their places and lifetimes, one a line.
std::string memory_text(const Graph& graph, const Program& program, const SizedPlan& plan, size_t most);

}  // namespace wende
