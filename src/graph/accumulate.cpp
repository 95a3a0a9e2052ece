#include "graph/accumulate.h"

#include <algorithm>

#include "base/error.h"
#include "graph/device_op.h"
#include "kernels/pointwise.h"

namespace wende {

namespace {

class AccumulateOp : public DeviceOp {
 public:
  std::string_view name() const override { return "accumulate"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0, 1}}; }
  OpTraits traits() const override { return {.pure = true, .pointwise = true}; }
  std::optional<PointwiseFunction> pointwise_function() const override { return PointwiseFunction::of(Binary::kAdd); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    for (const ExprType& input : inputs) {
      const bool same_rank = input.dims.size() == inputs[0].dims.size();
      if (input.dtype != DType::kFloat32 || !same_rank) {
        op_error(name(), "types of the parts differ", inputs);
      }
    }
    return {inputs[0]};
  }

  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    if (!context.device().is_cpu()) {
      return WENDE_ON_DEVICE(context.device(), binary(Binary::kAdd, context.input(0), context.input(1), out));
    }
    float* y = out.data<float>();
    const int64_t n = out.elements();
    const float* first = context.input(0).data<float>();
    const float* second = context.input(1).data<float>();
    if (y == second) {
      std::swap(first, second);
    }
    for (int64_t i = 0; i < n; ++i) {
      y[i] = first[i] + second[i];
    }
  }

  std::vector<Expr> vjp(const VjpContext& context) const override { return {context.grad(), context.grad()}; }
};

class SeedOp : public DeviceOp {
 public:
  std::string_view name() const override { return "gradient_seed"; }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, {}}}; }
  void run(RunContext& context) const override { WENDE_ON_DEVICE(context.device(), fill(context.output(0), 1.0)); }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }
};

/// The sum by what the parts' op knows about its values; undefined: nothing.
Expr joined(const std::vector<Expr>& parts) {
  const auto op_of = [](const Expr& part) -> const Op& { return *part.graph->node(part.node).op; };
  const Op& first = op_of(parts.at(0));
  const bool alike = parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [&](const Expr& part) {
                       return op_of(part).name() == first.name();
                     });
  return alike ? first.sum_of(parts) : Expr{};
}

}  // namespace

Expr accumulate(const std::vector<Expr>& parts) {
  if (const Expr together = joined(parts); together.defined()) return together;
  Expr sum = parts.at(0);
  for (size_t i = 1; i < parts.size(); ++i) {
    sum = sum.graph->add(std::make_shared<const AccumulateOp>(), {sum, parts[i]});
  }
  return sum;
}

Expr gradient_seed(Graph& graph) { return graph.add(std::make_shared<const SeedOp>(), {}); }

}  // namespace wende
