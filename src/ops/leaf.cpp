#include "ops/leaf.h"

#include <cstring>

#include "graph/device_op.h"
#include "graph/leaf_op.h"
#include "kernels/pointwise.h"
#include "ops/complex.h"

namespace wende::ops {
namespace {

class ConstantOp final : public DeviceOp {
 public:
  ConstantOp(double value, ExprType type) : value_(value), type_(std::move(type)) {}

  std::string_view name() const override { return "constant"; }
  PaddingRule padding() const override { return {.zero = value_ == 0.0}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("value", value_);
    visitor.field("dtype", std::string(name_of(type_.dtype)));
    visitor.field("dims", type_.dims);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {type_}; }
  void run(RunContext& context) const override { WENDE_ON_DEVICE(context.device(), fill(context.output(0), value_)); }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  double value_;
  ExprType type_;
};

class ConstantArrayOp final : public DeviceOp {
 public:
  ConstantArrayOp(const Tensor& values, std::vector<Dim> dims) : values_(values.clone()), dims_(std::move(dims)) {
    bool fits = static_cast<int>(dims_.size()) == values_.rank();
    for (int axis = 0; fits && axis < values_.rank(); ++axis) {
      const Dim& dim = dims_[static_cast<size_t>(axis)];
      fits = dim.is_static() && dim.size() == values_.dim(axis);
    }
    const ExprType type{values_.dtype(), dims_};
    if (!fits)
      op_error("constant_array", "values of shape " + values_.shape().str() + " do not have these dims", {type});
  }

  std::string_view name() const override { return "constant_array"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("dtype", std::string(name_of(values_.dtype())));
    visitor.field("dims", dims_);
    visitor.field("content", static_cast<int64_t>(content_hash()));
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{values_.dtype(), dims_}}; }
  void run(RunContext& context) const override { context.output(0).copy_from(values_); }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  /// FNV-1a, 64 bits: tells arrays apart in printed graphs and when equal nodes are merged.
  uint64_t content_hash() const {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < values_.bytes(); ++i) {
      hash = (hash ^ static_cast<uint64_t>(values_.raw()[i])) * 0x100000001b3u;
    }
    return hash;
  }

  Tensor values_;
  std::vector<Dim> dims_;
};

class RangeOp final : public DeviceOp {
 public:
  explicit RangeOp(Dim dim) : dim_(std::move(dim)) {}

  std::string_view name() const override { return "range"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dim", dim_); }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kInt32, {dim_}}}; }
  void run(RunContext& context) const override { WENDE_ON_DEVICE(context.device(), range(context.output(0))); }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Dim dim_;
};

}  // namespace

Expr input(Graph& graph, const std::string& name, DType dtype, std::vector<Dim> dims) {
  return graph.add(std::make_shared<const LeafOp>(name, false, ExprType{dtype, std::move(dims)}), {});
}

Expr parameter(Graph& graph, const std::string& name, DType dtype, std::vector<Dim> dims) {
  return graph.add(std::make_shared<const LeafOp>(name, true, ExprType{dtype, std::move(dims)}), {});
}

Expr constant(Graph& graph, double value, DType dtype, std::vector<Dim> dims) {
  if (dtype == DType::kComplex64) {
    return complex(constant(graph, value, DType::kFloat32, dims), constant(graph, 0.0, DType::kFloat32, dims));
  }
  return graph.add(std::make_shared<const ConstantOp>(value, ExprType{dtype, std::move(dims)}), {});
}

Expr int_constant(Graph& graph, int64_t value) { return constant(graph, static_cast<double>(value), DType::kInt32); }

Expr constant_array(Graph& graph, const Tensor& values, std::vector<Dim> dims) {
  return graph.add(std::make_shared<const ConstantArrayOp>(values, std::move(dims)), {});
}

Expr range(Graph& graph, const Dim& dim) { return graph.add(std::make_shared<const RangeOp>(dim), {}); }

}  // namespace wende::ops
