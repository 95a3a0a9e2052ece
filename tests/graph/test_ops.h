#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/leaf_op.h"
#include "graph/op.h"

/// Small ops that let tests watch what the graph does with them.
namespace wende::test {

inline std::vector<std::string>& run_log() {
  static std::vector<std::string> log;
  return log;
}

inline Expr leaf(Graph& graph, const std::string& name, std::vector<Dim> dims, bool parameter = false) {
  return graph.add(std::make_shared<const LeafOp>(name, parameter, ExprType{DType::kFloat32, std::move(dims)}), {});
}

/// scale * x + shift, pointwise; each run leaves its label in the log.
class AffineOp : public Op {
 public:
  AffineOp(double scale, double shift, std::string label = "", bool pointwise = true)
      : scale_(scale), shift_(shift), label_(std::move(label)), pointwise_(pointwise) {}
  std::string_view name() const override { return "affine"; }
  OpTraits traits() const override { return {.pointwise = pointwise_}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("scale", scale_);
    visitor.field("shift", shift_);
    visitor.field("label", label_);
    visitor.field("pointwise", pointwise_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    run_log().push_back(label_);
    const float* x = context.input(0).data<float>();
    float* y = context.output(0).data<float>();
    for (int64_t i = 0; i < context.output(0).elements(); ++i) {
      y[i] = static_cast<float>(scale_) * x[i] + static_cast<float>(shift_);
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {context.graph.add(std::make_shared<const AffineOp>(scale_, 0.0), {context.grad()})};
  }

 private:
  double scale_;
  double shift_;
  std::string label_;
  bool pointwise_;
};

inline Expr affine(Expr x, double scale, double shift, const std::string& label = "", bool pointwise = true) {
  return x.graph->add(std::make_shared<const AffineOp>(scale, shift, label, pointwise), {x});
}

/// a * b of equal dims.
class ProductOp : public Op {
 public:
  std::string_view name() const override { return "product"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dims != inputs[1].dims) op_error(name(), "dims differ", inputs);
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    for (int64_t i = 0; i < context.output(0).elements(); ++i) {
      context.output(0).data<float>()[i] = context.input(0).data<float>()[i] * context.input(1).data<float>()[i];
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;
};

inline Expr product(Expr a, Expr b) { return a.graph->add(std::make_shared<const ProductOp>(), {a, b}); }

inline std::vector<Expr> ProductOp::vjp(const VjpContext& context) const {
  std::vector<Expr> grads(2);
  if (context.needed[0]) grads[0] = product(context.grad(), context.input(1));
  if (context.needed[1]) grads[1] = product(context.grad(), context.input(0));
  return grads;
}

/// A scalar with all elements of the given dims.
class FillOp : public Op {
 public:
  explicit FillOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}
  std::string_view name() const override { return "fill"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, dims_}}; }
  void run(RunContext& context) const override {
    const Tensor& y = context.output(0);
    std::fill_n(y.data<float>(), y.elements(), context.input(0).data<float>()[0]);
  }

 private:
  std::vector<Dim> dims_;
};

/// Output 0: the sum of all elements; output 1: their mean.
class SumAndMeanOp : public Op {
 public:
  std::string_view name() const override { return "sum_and_mean"; }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override {
    return {{DType::kFloat32, {}}, {DType::kFloat32, {}}};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    double sum = 0;
    for (int64_t i = 0; i < x.elements(); ++i) sum += double{x.data<float>()[i]};
    context.output(0).data<float>()[0] = static_cast<float>(sum);
    if (context.output_wanted(1)) {
      run_log().push_back("mean");
      context.output(1).data<float>()[0] = static_cast<float>(sum / static_cast<double>(x.elements()));
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    if (!context.grad(0).defined()) return {{}};
    return {context.graph.add(std::make_shared<const FillOp>(context.input(0).dims()), {context.grad(0)})};
  }
};

inline Expr sum(Expr x) { return x.graph->add(std::make_shared<const SumAndMeanOp>(), {x}); }

/// The same bytes under other dims; must never be run.
class RenameOp : public Op {
 public:
  explicit RenameOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}
  std::string_view name() const override { return "rename"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  int aliases_input() const override { return 0; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {{inputs[0].dtype, dims_}}; }
  void run(RunContext&) const override { throw internal_error("an alias was run"); }

 private:
  std::vector<Dim> dims_;
};

inline Expr rename(Expr x, std::vector<Dim> dims) {
  return x.graph->add(std::make_shared<const RenameOp>(std::move(dims)), {x});
}

/// Outputs x and -x, the second in the memory of x where nobody reads x later.
class NegateOverOp : public Op {
 public:
  std::string_view name() const override { return "negate_over"; }
  OpTraits traits() const override { return {.overwrites = {.output = 1, .input = 0}}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0], inputs[0]}; }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    run_log().push_back(x.raw() == context.output(1).raw() ? "over" : "beside");
    for (int64_t i = 0; i < x.elements(); ++i) {
      const float value = x.data<float>()[i];
      context.output(0).data<float>()[i] = value;
      context.output(1).data<float>()[i] = -value;
    }
  }
};

/// A random number per run of the graph: not pure.
class ImpureOp : public Op {
 public:
  std::string_view name() const override { return "impure"; }
  OpTraits traits() const override { return {.pure = false}; }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, {}}}; }
  void run(RunContext& context) const override {
    context.output(0).data<float>()[0] = static_cast<float>(context.step());
  }
};

/// x where it is finite; 1 / 0 where x is `trigger`; throws where x is `failure`.
class FragileOp : public Op {
 public:
  FragileOp(double trigger, double failure) : trigger_(trigger), failure_(failure) {}
  std::string_view name() const override { return "fragile"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("trigger", trigger_);
    visitor.field("failure", failure_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    for (int64_t i = 0; i < context.input(0).elements(); ++i) {
      const float x = context.input(0).data<float>()[i];
      if (x == static_cast<float>(failure_)) throw Error(ExitStatus::kMalformedInput, "[fragile] refuses");
      context.output(0).data<float>()[i] =
          x == static_cast<float>(trigger_) ? std::numeric_limits<float>::infinity() : x;
    }
  }

 private:
  double trigger_;
  double failure_;
};

inline Expr fragile(Expr x, double trigger, double failure) {
  return x.graph->add(std::make_shared<const FragileOp>(trigger, failure), {x});
}

}  // namespace wende::test
