#include "kernels/window.h"

#include <fmt/core.h>

#include "graph/device_op.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

/// Sliding windows and, transposed, the sum of what the windows took from each element.
class WindowOp final : public DeviceOp {
 public:
  WindowOp(bool backward, int axis, Dim window, int64_t left)
      : backward_(backward), axis_(axis), window_(std::move(window)), left_(left) {}

  std::string_view name() const override { return backward_ ? "window_sum" : "window"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("window", window_);
    visitor.field("left", left_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType type = inputs[0];
    if (axis_ < 0 || static_cast<size_t>(axis_) >= type.dims.size()) {
      op_error(name(), fmt::format("there is no axis {}", axis_), inputs);
    }
    if (type.dtype != DType::kFloat32) op_error(name(), "takes float32", inputs);
    if (backward_) {
      type.dims.erase(type.dims.begin() + axis_ + 1);
    } else {
      type.dims.insert(type.dims.begin() + axis_ + 1, window_);
    }
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& narrow = backward_ ? context.output(0) : context.input(0);
    const Tensor& wide = backward_ ? context.input(0) : context.output(0);
    const int64_t times = narrow.dim(axis_);
    int64_t outer = 1;
    int64_t inner = 1;
    for (int i = 0; i < narrow.rank(); ++i) (i < axis_ ? outer : inner) *= i == axis_ ? 1 : narrow.dim(i);
    const Tensor flat_narrow = narrow.reshaped({outer, times, inner});
    const Tensor flat_wide = wide.reshaped({outer, times, wide.dim(axis_ + 1), inner});
    if (backward_) {
      WENDE_ON_DEVICE(context.device(), window_sum(flat_wide, left_, flat_narrow));
    } else {
      WENDE_ON_DEVICE(context.device(), window(flat_narrow, left_, flat_wide));
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {context.graph.add(std::make_shared<const WindowOp>(!backward_, axis_, window_, left_), {context.grad()})};
  }

 private:
  bool backward_;
  int axis_;
  Dim window_;
  int64_t left_;
};

}  // namespace

Expr window(Expr x, int axis, const Dim& window, int64_t left) {
  return x.graph->add(std::make_shared<const WindowOp>(false, axis < 0 ? axis + x.rank() : axis, window, left), {x});
}

}  // namespace wende::ops
