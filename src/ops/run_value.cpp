#include "ops/run_value.h"

#include "graph/op.h"

namespace wende::ops {
namespace {

/// A number that only the run knows: a size, or the step.
class RunValueOp final : public Op {
 public:
  explicit RunValueOp(Dim dim) : dim_(std::move(dim)) {}
  std::string_view name() const override { return dim_.defined() ? "dim_size" : "step_number"; }
  void attributes(AttributeVisitor& visitor) const override {
    if (dim_.defined()) visitor.field("dim", dim_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kInt32, {}}}; }
  void run(RunContext& context) const override {
    const int64_t value = dim_.defined() ? context.binding().size(dim_) : static_cast<int64_t>(context.step());
    context.output(0).data<int32_t>()[0] = static_cast<int32_t>(value);
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Dim dim_;  ///< undefined: the step
};

}  // namespace

Expr dim_size(Graph& graph, const Dim& dim) { return graph.add(std::make_shared<const RunValueOp>(dim), {}); }
Expr step_number(Graph& graph) { return graph.add(std::make_shared<const RunValueOp>(Dim()), {}); }

}  // namespace wende::ops
