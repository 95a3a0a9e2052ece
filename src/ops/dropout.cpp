#include "ops/dropout.h"

#include <algorithm>

#include "graph/device_op.h"
#include "graph/row_identity.h"
#include "kernels/dropout.h"

namespace wende::ops {

namespace {

enum class Kind { kMask, kNormal, kUniform };

/// Fresh numbers of (seed, step, key, sequence, frame): two parameters are keep; stddev; or low and high.
class RandomOp : public DeviceOp {
 public:
  RandomOp(Kind kind, std::vector<Dim> dims, double first, double second, uint32_t key, bool always_same)
      : kind_(kind), dims_(std::move(dims)), first_(first), second_(second), key_(key), always_same_(always_same) {}
  std::string_view name() const override {
    return kind_ == Kind::kMask ? "dropout_mask" : kind_ == Kind::kNormal ? "random_normal" : "random_uniform";
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("dims", dims_);
    visitor.field(kind_ == Kind::kMask ? "keep" : kind_ == Kind::kNormal ? "stddev" : "low", first_);
    if (kind_ == Kind::kUniform) visitor.field("high", second_);
    visitor.field("key", static_cast<int64_t>(key_));
    visitor.field("always_same", always_same_);
  }
  OpTraits traits() const override { return {.pure = false}; }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, dims_}}; }

  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    const Philox philox = random_numbers(context, out.elements());
    const cpu::RandomRows rows = rows_of(context.binding());
    cpu::RandomLayout layout = layout_of();
    layout.rows = rows.empty() ? nullptr : &rows;
    switch (kind_) {
      case Kind::kMask:
        return WENDE_ON_DEVICE(context.device(), dropout_mask(philox, first_, out, layout));
      case Kind::kNormal:
        return WENDE_ON_DEVICE(context.device(), random_normal(philox, first_, out, layout));
      case Kind::kUniform:
        return WENDE_ON_DEVICE(context.device(), random_uniform(philox, first_, second_, out, layout));
    }
  }

  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Philox random_numbers(const RunContext& context, int64_t elements) const {
    const bool fixed = std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.is_static(); });
    const uint64_t step = always_same_ ? 0 : context.step();
    if (!fixed) return Philox::keyed(context.seed(), step, key_);
    constexpr uint64_t kBlocksPerElement = 256;  // that a run of TensorFlow's op uses up
    return Philox::of_op(context.seed(), key_, step * kBlocksPerElement * static_cast<uint64_t>(elements));
  }

  cpu::RandomLayout layout_of() const {
    cpu::RandomLayout layout;
    for (const Dim& dim : dims_) {
      layout.axes.push_back(dim.is_batch()     ? cpu::RandomLayout::Axis::kBatch
                            : dim.is_dynamic() ? cpu::RandomLayout::Axis::kDynamic
                                               : cpu::RandomLayout::Axis::kFixed);
    }
    return layout;
  }

  Kind kind_;
  std::vector<Dim> dims_;
  double first_;
  double second_;
  uint32_t key_;
  bool always_same_;
};

}  // namespace

Expr dropout_mask(Graph& graph, std::vector<Dim> dims, double keep, uint32_t key) {
  return graph.add(std::make_shared<const RandomOp>(Kind::kMask, std::move(dims), keep, 0.0, key, false), {});
}

Expr random_normal(Graph& graph, std::vector<Dim> dims, double stddev, uint32_t key, bool always_same) {
  return graph.add(std::make_shared<const RandomOp>(Kind::kNormal, std::move(dims), stddev, 0.0, key, always_same), {});
}

Expr random_uniform(Graph& graph, std::vector<Dim> dims, double low, double high, uint32_t key, bool always_same) {
  return graph.add(std::make_shared<const RandomOp>(Kind::kUniform, std::move(dims), low, high, key, always_same), {});
}

}  // namespace wende::ops
