#include "ops/top_k.h"

#include <fmt/core.h>

#include "base/error.h"
#include "graph/device_op.h"
#include "kernels/top_k.h"
#include "ops/gather.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

class TopKOp final : public DeviceOp {
 public:
  explicit TopKOp(Dim k) : k_(std::move(k)) {}
  std::string_view name() const override { return "top_k"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("k", k_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType values = inputs[0];
    const bool number = values.dtype == DType::kFloat32 || values.dtype == DType::kInt32;
    if (!number || values.dims.empty()) op_error(name(), "takes float32 or int32 [...,N]", inputs);
    if (values.dims.back().is_static() && k_.size() > values.dims.back().size()) {
      op_error(name(), fmt::format("there are no {} elements", k_.size()), inputs);
    }
    values.dims.back() = k_;
    return {values, {DType::kInt32, values.dims}};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dim(-1) < k_.size()) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("[top_k] wants {} of an axis of {} elements in this batch", k_.size(), x.dim(-1)));
    }
    WENDE_ON_DEVICE(context.device(), top_k(x, context.output(0), context.output(1)));
  }
  /// Each gradient goes where its value came from.
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr g = context.grad();
    if (!g.defined()) return {Expr{}};
    const Dim& axis = context.input(0).dims().back();
    const Expr places = one_hot(context.output(1), axis);  // [...,k,N]
    return {reduce(Reduction::kSum, mul(expand_dims(g, g.rank()), places), {g.rank() - 1})};
  }

 private:
  Dim k_;
};

}  // namespace

TopK top_k(Expr x, const Dim& k) {
  const Expr values = x.graph->add(std::make_shared<const TopKOp>(k), {x});
  return {values, x.graph->output_of(values, 1)};
}

}  // namespace wende::ops
