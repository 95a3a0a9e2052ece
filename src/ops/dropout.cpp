#include "ops/dropout.h"

#include <algorithm>

#include "graph/device_op.h"
#include "graph/executor.h"
#include "graph/row_identity.h"
#include "graph/run_numbers.h"
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
    const RunNumbers* numbers = context.device().is_cpu() ? nullptr : context.options().numbers;
    const Philox philox = random_numbers(context, out.elements(), numbers != nullptr ? 0 : context.step());
    cpu::RandomLayout layout = layout_of();
    cpu::RandomRows rows;
    if (numbers != nullptr) {
      layout.run = &numbers->random();
      layout.blocks_per_step = blocks_per_step(out.elements());
      layout.always_same = always_same_;
    } else if (rows = rows_of(context.binding()); !rows.empty()) {
      layout.rows = &rows;
    }
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
  /// TensorFlow's op uses up 256 blocks for each element in a run; 0: numbers of sequences and frames are keyed.
  uint64_t blocks_per_step(int64_t elements) const {
    const bool fixed = std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.is_static(); });
    return fixed ? uint64_t{256} * static_cast<uint64_t>(elements) : 0;
  }

  Philox random_numbers(const RunContext& context, int64_t elements, uint64_t step) const {
    const uint64_t blocks = blocks_per_step(elements);
    if (always_same_) step = 0;
    return blocks == 0 ? Philox::keyed(context.seed(), step, key_) : Philox::of_op(context.seed(), key_, step * blocks);
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
