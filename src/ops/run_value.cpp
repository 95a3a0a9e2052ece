#include "ops/run_value.h"

#include "graph/device_op.h"
#include "graph/executor.h"
#include "graph/run_numbers.h"
#include "kernels/pointwise.h"

namespace wende::ops {
namespace {

/// A number that only the run knows: a size, or the step.
class RunValueOp final : public DeviceOp {
 public:
  explicit RunValueOp(Dim dim) : dim_(std::move(dim)) {}
  std::string_view name() const override { return dim_.defined() ? "dim_size" : "step_number"; }
  void attributes(AttributeVisitor& visitor) const override {
    if (dim_.defined()) visitor.field("dim", dim_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kInt32, {}}}; }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    const RunNumbers* numbers = context.device().is_cpu() ? nullptr : context.options().numbers;
    if (!dim_.defined() && numbers != nullptr) {  // where a recorded launch finds that of each run
      return WENDE_ON_DEVICE(context.device(), cast(numbers->step().reshaped(Shape{}), out));
    }
    const int64_t value = dim_.defined() ? context.binding().size(dim_) : static_cast<int64_t>(context.step());
    WENDE_ON_DEVICE(context.device(), fill(out, static_cast<double>(value)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Dim dim_;  ///< undefined: the step
};

}  // namespace

Expr dim_size(Graph& graph, const Dim& dim) { return graph.add(std::make_shared<const RunValueOp>(dim), {}); }
Expr step_number(Graph& graph) { return graph.add(std::make_shared<const RunValueOp>(Dim()), {}); }

}  // namespace wende::ops
