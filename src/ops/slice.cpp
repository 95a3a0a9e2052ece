#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "graph/device_op.h"
#include "kernels/pointwise.h"
#include "ops/complex.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

constexpr int64_t kToTheEnd = INT64_MAX;

/// The elements that Python's x[begin:end:step] takes of an axis.
struct Picked {
  int64_t begin;
  int64_t count;
};

Picked pick(int64_t size, int64_t begin, int64_t end, int64_t step) {
  const int64_t lowest = step > 0 ? 0 : -1;
  const int64_t highest = step > 0 ? size : size - 1;
  auto place = [&](int64_t position) { return std::clamp(position < 0 ? position + size : position, lowest, highest); };
  const int64_t first = place(begin);
  const int64_t last = place(end);
  const int64_t span = step > 0 ? last - first : first - last;
  const int64_t stride = std::abs(step);
  return {first, std::max<int64_t>(0, (span + stride - 1) / stride)};
}

void check_axis(std::string_view op, int axis, const std::vector<ExprType>& inputs) {
  if (axis < 0 || static_cast<size_t>(axis) >= inputs[0].dims.size()) {
    op_error(op, fmt::format("there is no axis {}", axis), inputs);
  }
}

/// x[begin:end:step], or its transposition, which puts the elements back between zeros.
class SliceOp final : public DeviceOp {
 public:
  SliceOp(bool backward, int axis, int64_t begin, int64_t end, int64_t step, Dim out)
      : backward_(backward), axis_(axis), begin_(begin), end_(end), step_(step), out_(std::move(out)) {}

  std::string_view name() const override { return backward_ ? "slice_grad" : "slice"; }
  PaddingRule padding() const override {
    if (axis_ < 2) return {};
    return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}};
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("begin", begin_);
    visitor.field("end", end_);
    visitor.field("step", step_);
    visitor.field("out", out_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check_axis(name(), axis_, inputs);
    if (step_ == 0) op_error(name(), "the step is 0", inputs);
    ExprType type = inputs[0];
    Dim& dim = type.dims[static_cast<size_t>(axis_)];
    const Dim& longer = backward_ ? out_ : dim;
    const Dim& shorter = backward_ ? dim : out_;
    if (longer.is_static() && shorter.is_static() && shorter.size() != pick(longer.size(), begin_, end_, step_).count) {
      op_error(name(),
               fmt::format("takes {} elements, not {}", pick(longer.size(), begin_, end_, step_).count, shorter.size()),
               inputs);
    }
    dim = out_;
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.output(0);
    const Tensor& longer = backward_ ? y : x;
    const Tensor& shorter = backward_ ? x : y;
    const Picked picked = pick(longer.dim(axis_), begin_, end_, step_);
    if (picked.count != shorter.dim(axis_)) {
      throw Error(ExitStatus::kConfig, fmt::format("[slice] [{}:{}:{}] takes {} of {} elements, not {}", begin_, end_,
                                                   step_, picked.count, longer.dim(axis_), shorter.dim(axis_)));
    }
    const Tensor view = longer.strided(axis_, picked.begin, picked.count, step_);
    if (backward_) {
      WENDE_ON_DEVICE(context.device(), fill(y, 0.0));
      view.copy_from(x);
    } else {
      y.copy_from(view);
    }
  }
  Expr sum_of(const std::vector<Expr>& parts) const override;
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Dim& before = context.input(0).dim(axis_);
    return {context.graph.add(std::make_shared<const SliceOp>(!backward_, axis_, begin_, end_, step_, before),
                              {context.grad()})};
  }

 private:
  bool backward_;
  int axis_;
  int64_t begin_;
  int64_t end_;
  int64_t step_;
  Dim out_;
};

/// The gradients of slices that make up the whole axis lie side by side: one copy instead of zeros and sums.
Expr SliceOp::sum_of(const std::vector<Expr>& parts) const {
  if (!backward_ || !out_.is_static()) return {};
  std::map<int64_t, Expr> by_begin;
  for (const Expr& part : parts) {
    const Node& node = part.graph->node(part.node);
    const auto& slice = dynamic_cast<const SliceOp&>(*node.op);
    if (slice.axis_ != axis_ || slice.step_ != 1 || !slice.out_.same_size(out_)) return {};
    by_begin[pick(out_.size(), slice.begin_, slice.end_, 1).begin] = node.inputs[0];
  }
  int64_t end = 0;
  std::vector<Expr> gradients;
  for (const auto& [begin, gradient] : by_begin) {
    if (begin != end) return {};
    if (!gradient.dim(axis_).is_static()) return {};
    end = begin + gradient.dim(axis_).size();
    gradients.push_back(gradient);
  }
  return end == out_.size() && gradients.size() == parts.size() ? concat(gradients, axis_, out_) : Expr{};
}

class PadOp final : public DeviceOp {
 public:
  PadOp(int axis, int64_t left, int64_t right, double value, Dim out)
      : axis_(axis), left_(left), right_(right), value_(value), out_(std::move(out)) {}

  std::string_view name() const override { return "pad"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("left", left_);
    visitor.field("right", right_);
    visitor.field("value", value_);
    visitor.field("out", out_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check_axis(name(), axis_, inputs);
    if (left_ < 0 || right_ < 0) op_error(name(), fmt::format("padding ({},{}) is negative", left_, right_), inputs);
    ExprType type = inputs[0];
    Dim& dim = type.dims[static_cast<size_t>(axis_)];
    if (dim.is_static() && out_.is_static() && out_.size() != dim.size() + left_ + right_) {
      op_error(name(), fmt::format("{} + {} + {} elements are not {}", left_, dim.size(), right_, out_.size()), inputs);
    }
    dim = out_;
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.output(0);
    const int64_t size = x.dim(axis_);
    const int64_t padded = y.dim(axis_);
    if (padded != size + left_ + right_) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("[pad] {} + {} + {} elements are not {}", left_, size, right_, padded));
    }
    WENDE_ON_DEVICE(context.device(), fill(y.sliced(axis_, 0, left_), value_));
    WENDE_ON_DEVICE(context.device(), fill(y.sliced(axis_, padded - right_, padded), value_));
    y.sliced(axis_, left_, left_ + size).copy_from(x);
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Dim& before = context.input(0).dim(axis_);
    return {slice(context.grad(), axis_, left_, right_ == 0 ? kToTheEnd : -right_, 1, before)};
  }

 private:
  int axis_;
  int64_t left_;
  int64_t right_;
  double value_;
  Dim out_;
};

/// One axis into parts: the vjp of concat.
class SplitOp final : public DeviceOp {
 public:
  SplitOp(int axis, std::vector<Dim> parts) : axis_(axis), parts_(std::move(parts)) {}

  std::string_view name() const override { return "split"; }
  PaddingRule padding() const override {
    if (axis_ < 2) return {};
    return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}};
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("parts", parts_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    std::vector<ExprType> types;
    for (const Dim& part : parts_) {
      types.push_back(inputs[0]);
      types.back().dims[static_cast<size_t>(axis_)] = part;
    }
    return types;
  }
  void run(RunContext& context) const override {
    int64_t begin = 0;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const int64_t end = begin + context.binding().size(parts_[i]);
      if (context.output_wanted(static_cast<int>(i))) {
        context.output(static_cast<int>(i)).copy_from(context.input(0).sliced(axis_, begin, end));
      }
      begin = end;
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const ExprType whole = context.input(0).type();
    std::vector<Expr> grads;
    for (size_t i = 0; i < parts_.size(); ++i) {
      std::vector<Dim> dims = whole.dims;
      dims[static_cast<size_t>(axis_)] = parts_[i];
      const Expr grad = context.grad(static_cast<int>(i));
      grads.push_back(grad.defined() ? grad : constant(context.graph, 0.0, whole.dtype, dims));
    }
    return {concat(grads, axis_, whole.dims[static_cast<size_t>(axis_)])};
  }

 private:
  int axis_;
  std::vector<Dim> parts_;
};

class ConcatOp final : public DeviceOp {
 public:
  ConcatOp(int inputs, int axis, Dim out) : inputs_(inputs), axis_(axis), out_(std::move(out)) {}

  std::string_view name() const override { return "concat"; }
  PaddingRule padding() const override {
    if (axis_ < 2) return {};
    return {.kind = PaddingRule::Kind::kFrameWise, .zero_every = true};
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("out", out_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check_axis(name(), axis_, inputs);
    for (const ExprType& input : inputs) {
      if (input.dtype != inputs[0].dtype) op_error(name(), "operands have different dtypes", inputs);
      if (input.dims.size() != inputs[0].dims.size()) op_error(name(), "operands have different ranks", inputs);
      for (size_t i = 0; i < input.dims.size(); ++i) {
        if (static_cast<int>(i) != axis_ && !input.dims[i].same_size(inputs[0].dims[i])) {
          op_error(name(), fmt::format("sizes of axis {} differ", i), inputs);
        }
      }
    }
    ExprType type = inputs[0];
    type.dims[static_cast<size_t>(axis_)] = out_;
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& y = context.output(0);
    int64_t begin = 0;
    for (int i = 0; i < inputs_; ++i) {
      const Tensor& x = context.input(i);
      const int64_t end = begin + x.dim(axis_);
      if (end > y.dim(axis_)) break;
      y.sliced(axis_, begin, end).copy_from(x);
      begin = end;
    }
    if (begin != y.dim(axis_)) {
      throw Error(ExitStatus::kConfig, fmt::format("[concat] the parts do not make {} elements", y.dim(axis_)));
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Dim> parts;
    for (const Expr& input : context.node.inputs) parts.push_back(input.dim(axis_));
    const int count = static_cast<int>(parts.size());
    const Expr split = context.graph.add(std::make_shared<const SplitOp>(axis_, std::move(parts)), {context.grad()});
    std::vector<Expr> grads;
    for (int i = 0; i < count; ++i) grads.push_back(context.graph.output_of(split, i));
    return grads;
  }

 private:
  int inputs_;
  int axis_;
  Dim out_;
};

}  // namespace

Expr slice(Expr x, int axis, int64_t begin, int64_t end, int64_t step, const Dim& out) {
  if (is_complex(x)) return by_parts(x, [&](Expr part) { return slice(part, axis, begin, end, step, out); });
  return x.graph->add(std::make_shared<const SliceOp>(false, axis < 0 ? axis + x.rank() : axis, begin, end, step, out),
                      {x});
}

namespace {

Expr complex_concat(const std::vector<Expr>& xs, int axis, const Dim& out) {
  std::vector<Expr> reals, imaginaries;
  for (const Expr& x : xs) {
    reals.push_back(real(x));
    imaginaries.push_back(imaginary(x));
  }
  return complex(concat(reals, axis, out), concat(imaginaries, axis, out));
}

}  // namespace

Expr concat(const std::vector<Expr>& xs, int axis, const Dim& out) {
  if (xs.empty()) throw internal_error("[concat] of nothing");
  if (xs.size() == 1 && xs[0].rank() > 0 && xs[0].dim(axis) == out) return xs[0];
  if (std::any_of(xs.begin(), xs.end(), is_complex)) return complex_concat(xs, axis, out);
  const int from_left = axis < 0 ? axis + xs[0].rank() : axis;
  return xs[0].graph->add(std::make_shared<const ConcatOp>(static_cast<int>(xs.size()), from_left, out), xs);
}

Expr pad(Expr x, int axis, int64_t left, int64_t right, double value, const Dim& out) {
  if (is_complex(x)) {
    return complex(pad(real(x), axis, left, right, value, out), pad(imaginary(x), axis, left, right, 0.0, out));
  }
  return x.graph->add(std::make_shared<const PadOp>(axis < 0 ? axis + x.rank() : axis, left, right, value, out), {x});
}

}  // namespace wende::ops
