#include "ops/gather.h"

#include "graph/device_op.h"
#include "kernels/gather.h"

namespace wende::ops {

namespace {

void need_indices(std::string_view op, const ExprType& indices, const std::vector<ExprType>& inputs) {
  if (indices.dtype != DType::kInt32) op_error(op, "indices must be int32", inputs);
}

/// Inputs: indices, dy; the table's dims are an attribute, and whether RETURNN has rows there.
class GatherGradOp : public DeviceOp {
 public:
  GatherGradOp(std::vector<Dim> table, bool as_rows) : table_(std::move(table)), as_rows_(as_rows) {}
  std::string_view name() const override { return "gather_grad"; }
  OpTraits traits() const override { return {.sums_frames = true}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("table", table_);
    visitor.field("as_rows", as_rows_);
  }
  bool as_rows() const { return as_rows_; }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, table_}}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), gather_grad(context.input(0), context.input(1), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {{}, gather(context.grad(), context.input(0))};
  }

 private:
  std::vector<Dim> table_;
  bool as_rows_;
};

class GatherOp : public DeviceOp {
 public:
  explicit GatherOp(bool as_rows) : as_rows_(as_rows) {}
  std::string_view name() const override { return "gather"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("as_rows", as_rows_); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_indices(name(), inputs[1], inputs);
    const std::vector<Dim>& table = inputs[0].dims;
    if (table.empty()) op_error(name(), "needs a table [V,...]", inputs);
    ExprType out{inputs[0].dtype, inputs[1].dims};
    out.dims.insert(out.dims.end(), table.begin() + 1, table.end());
    return {out};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), gather(context.input(0), context.input(1), context.output(0)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    if (!context.needed[0]) return {{}, {}};
    const auto op = std::make_shared<const GatherGradOp>(context.input(0).dims(), as_rows_);
    return {context.graph.add(op, {context.input(1), context.grad()}), {}};
  }

 private:
  bool as_rows_;
};

class OneHotOp : public DeviceOp {
 public:
  explicit OneHotOp(Dim depth) : depth_(std::move(depth)) {}
  std::string_view name() const override { return "one_hot"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("depth", depth_); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_indices(name(), inputs[0], inputs);
    ExprType out{DType::kFloat32, inputs[0].dims};
    out.dims.push_back(depth_);
    return {out};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), one_hot(context.input(0), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {{}}; }

 private:
  Dim depth_;
};

/// Inputs: indices, dy.
class PickLastGradOp : public DeviceOp {
 public:
  explicit PickLastGradOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}
  std::string_view name() const override { return "pick_last_grad"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, dims_}}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), pick_last_grad(context.input(0), context.input(1), context.output(0)));
  }

 private:
  std::vector<Dim> dims_;
};

class PickLastOp : public DeviceOp {
 public:
  std::string_view name() const override { return "pick_last"; }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_indices(name(), inputs[1], inputs);
    const std::vector<Dim>& x = inputs[0].dims;
    const std::vector<Dim>& indices = inputs[1].dims;
    bool fits = inputs[0].dtype == DType::kFloat32 && x.size() == indices.size() + 1;
    for (size_t i = 0; fits && i < indices.size(); ++i) fits = x[i].same_size(indices[i]);
    if (!fits) op_error(name(), "needs float32 [...,V] and indices [...]", inputs);
    return {{DType::kFloat32, indices}};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), pick_last(context.input(0), context.input(1), context.output(0)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    if (!context.needed[0]) return {{}, {}};
    const auto op = std::make_shared<const PickLastGradOp>(context.input(0).dims());
    return {context.graph.add(op, {context.input(1), context.grad()}), {}};
  }
};

}  // namespace

Expr gather(Expr table, Expr indices) {
  return table.graph->add(std::make_shared<const GatherOp>(false), {table, indices});
}

Expr look_up(Expr table, Expr indices) {
  return table.graph->add(std::make_shared<const GatherOp>(true), {table, indices});
}

std::vector<TableRows> rows_of_gradient(Expr gradient) {
  const Node& node = gradient.graph->node(gradient.node);
  if (const auto* op = dynamic_cast<const GatherGradOp*>(node.op.get()); op != nullptr && op->as_rows()) {
    return {{node.inputs[0], node.inputs[1]}};
  }
  if (node.op->name() != "accumulate") return {};
  std::vector<TableRows> parts;
  for (const Expr& input : node.inputs) {
    const std::vector<TableRows> more = rows_of_gradient(input);
    if (more.empty()) return {};
    parts.insert(parts.end(), more.begin(), more.end());
  }
  return parts;
}

Expr one_hot(Expr indices, const Dim& depth) {
  return indices.graph->add(std::make_shared<const OneHotOp>(depth), {indices});
}

Expr pick_last(Expr x, Expr indices) { return x.graph->add(std::make_shared<const PickLastOp>(), {x, indices}); }

Expr scatter_add(Expr values, Expr indices, const Dim& rows) {
  std::vector<Dim> dims{rows};
  dims.insert(dims.end(), values.dims().begin() + indices.rank(), values.dims().end());
  return values.graph->add(std::make_shared<const GatherGradOp>(dims, false), {indices, values});
}

}  // namespace wende::ops
