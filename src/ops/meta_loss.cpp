#include "ops/meta_loss.h"

#include <algorithm>
#include <utility>

#include "graph/op.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende::ops {

namespace {

Expr elements_of(Expr x) { return sum_all(constant(*x.graph, 1.0, DType::kFloat32, x.dims())); }

/// Marks a loss in the graph, for meta_losses(). Inputs: value, number of elements.
class MetaLossOp : public Op {
 public:
  MetaLossOp(std::string loss, double scale, bool summed) : loss_(std::move(loss)), scale_(scale), summed_(summed) {}
  const std::string& loss() const { return loss_; }
  double scale() const { return scale_; }
  bool summed() const { return summed_; }

  std::string_view name() const override { return "meta_loss"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("loss", loss_);
    visitor.field("scale", scale_);
    visitor.field("summed", static_cast<int64_t>(summed_));
  }
  int aliases_input() const override { return 0; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }
  std::vector<Expr> vjp(const VjpContext& context) const override { return {context.grad(), Expr{}}; }

 private:
  std::string loss_;
  double scale_;
  bool summed_;
};

/// Inputs: x, and the synthetic gradient or the dummy parameter.
class GradientHookOp : public Op {
 public:
  enum class Kind { kSynthetic, kTikhonov };
  GradientHookOp(Kind kind, std::string loss, double scale) : kind_(kind), loss_(std::move(loss)), scale_(scale) {}
  std::string_view name() const override {
    return kind_ == Kind::kSynthetic ? "synthetic_gradient" : "tikhonov_regularized";
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("loss", loss_);
    visitor.field("scale", scale_);
  }
  int aliases_input() const override { return 0; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr arrived = context.grad();
    if (!arrived.defined()) return {Expr{}, Expr{}};
    if (kind_ == Kind::kTikhonov) {
      mark(context, scale(sum_all(unary(Unary::kSquare, arrived)), 0.5), arrived);
      return {arrived, context.needed[1] ? constant(context.graph, 0.0) : Expr{}};
    }
    const Expr predicted = context.input(1);
    const Expr difference = sub(predicted, stop_gradient(arrived));
    mark(context, div(sum_all(unary(Unary::kSquare, difference)), elements_of(difference)), difference);
    return {predicted, Expr{}};
  }

 private:
  void mark(const VjpContext& context, Expr value, Expr measured) const {
    context.graph.add(std::make_shared<const MetaLossOp>(loss_, scale_, kind_ == Kind::kTikhonov),
                      {value, elements_of(measured)});
  }

  Kind kind_;
  std::string loss_;
  double scale_;
};

Expr hook(GradientHookOp::Kind kind, Expr x, Expr other, double scale, const std::string& name) {
  return x.graph->add(std::make_shared<const GradientHookOp>(kind, name, scale), {x, other});
}

}  // namespace

Expr synthetic_gradient(Expr x, Expr synthetic, double scale, const std::string& name) {
  return hook(GradientHookOp::Kind::kSynthetic, x, synthetic, scale, name);
}

Expr tikhonov_regularized(Expr x, Expr dummy, double scale, const std::string& name) {
  return hook(GradientHookOp::Kind::kTikhonov, x, dummy, scale, name);
}

std::vector<MetaLoss> meta_losses(const Graph& graph) {
  std::vector<MetaLoss> losses;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto* op = dynamic_cast<const MetaLossOp*>(graph.node(id).op.get());
    // The gradients of meta losses run backward through the same places once more; those are no losses.
    if (op &&
        std::none_of(losses.begin(), losses.end(), [&](const MetaLoss& loss) { return loss.name == op->loss(); })) {
      const Expr value{const_cast<Graph*>(&graph), id, 0};
      losses.push_back({op->loss(), op->scale(), value, graph.node(id).inputs[1], op->summed()});
    }
  }
  return losses;
}

}  // namespace wende::ops
