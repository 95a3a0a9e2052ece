#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/recorded_launch.h"
#include "graph/program.h"
#include "tensor/tensor.h"

namespace wende {

/// Everything about a run that depends on sizes only.
struct SizedPlan {
  std::vector<Shape> shapes;    ///< by value
  std::vector<size_t> offsets;  ///< by value; arena values only
  size_t bytes = 0;
  size_t largest = 0;           ///< bytes of one value
  std::vector<Tensor> tensors;  ///< by value, views of the arena at `base`
  const std::byte* base = nullptr;

  /// To allocate: some more than needed, which costs nothing until it is touched, so that batches a little longer need
  /// no new arena.
  size_t arena_bytes() const { return std::max<size_t>(bytes + bytes / 8, 64); }
  /// Shapes, and places in one arena, of steps [begin, stop). sizes: of the program's dims, then the numbers of frames
  /// of its packed axes.
  void lay_out(const Graph& graph, const Program& program, const std::vector<int64_t>& sizes, size_t begin,
               size_t stop);
};

/// Working memory of one op call at a time: a block that stays allocated. What does not fit gets memory of its own, and
/// the next call a block that is large enough, so that all calls together hold what the most demanding of them needs.
class Scratch {
 public:
  explicit Scratch(Device device) : device_(device) {}
  Tensor take(DType dtype, const Shape& shape) {
    constexpr size_t kAlignment = 256;
    const size_t needed = std::max<size_t>(static_cast<size_t>(shape.elements()) * size_of(dtype), 1);
    const size_t bytes = (needed + kAlignment - 1) / kAlignment * kAlignment;
    const size_t begin = taken_;
    taken_ += bytes;
    const bool fits = block_ != nullptr && taken_ <= block_->bytes();
    if (!fits) beyond_.push_back(Buffer::allocate(bytes, device_));
    const std::shared_ptr<Buffer>& memory = fits ? block_ : beyond_.back();
    keep_for_recording(memory);
    return Tensor::wrap(dtype, shape, memory->data() + (fits ? begin : 0), nullptr, device_);
  }
  void reset() {
    if (!beyond_.empty()) {
      beyond_.clear();
      block_.reset();  // before the new one is taken
      block_ = Buffer::allocate(taken_ + taken_ / 8, device_);
    }
    taken_ = 0;
  }

 private:
  Device device_;
  std::shared_ptr<Buffer> block_;
  std::vector<std::shared_ptr<Buffer>> beyond_;
  size_t taken_ = 0;
};

/// Memory of a leaf on the device that stays where it is while the leaf's tensors come from elsewhere.
class LeafPlace {
 public:
  Tensor copy_of(const Tensor& tensor, Device device) {
    if (buffer_ == nullptr || buffer_->bytes() < tensor.bytes()) {
      buffer_.reset();
      buffer_ = Buffer::allocate(tensor.bytes() + tensor.bytes() / 8, device);
    }
    const Tensor place = Tensor::wrap(tensor.dtype(), tensor.shape(), buffer_->data(), nullptr, device);
    place.copy_from(tensor);
    return place;
  }

 private:
  std::shared_ptr<Buffer> buffer_;
};

/// Throws kNonFinite with the names if the value is not finite.
void require_finite(const Tensor& value, const std::string& layer, std::string_view operation);

/// The largest values of a plan, with their places and lifetimes, one a line.
std::string memory_text(const Graph& graph, const Program& program, const SizedPlan& plan, size_t most);

}  // namespace wende
