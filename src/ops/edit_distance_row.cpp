#include "ops/edit_distance_row.h"

#include <vector>

#include "graph/device_op.h"
#include "kernels/edit_distance_row.h"
#include "ops/pointwise.h"

namespace wende::ops {
namespace {

/// The inputs [last, count, ended, b, lengths].
cpu::EditRows rows_of(const RunContext& context) {
  return {context.input(0), context.input(1), context.input(2), context.input(3), context.input(4)};
}

void check(std::string_view op, const std::vector<ExprType>& inputs) {
  bool fits = inputs[0].dims.size() == 2 && inputs[3].dims.size() == 2;
  for (const ExprType& input : inputs) {
    fits = fits && input.dtype == DType::kInt32;
  }
  for (const size_t i : {1, 2, 4}) {
    fits = fits && inputs[i].dims.size() == 1;
  }
  if (!fits) op_error(op, "needs int32: a row [B,U+1], counts [B], flags [B], labels [B,U], lengths [B]", inputs);
}

/// Inputs: those of rows_of, then a [B].
class NextRowOp : public DeviceOp {
 public:
  std::string_view name() const override { return "next_edit_distance_row"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check(name(), inputs);
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), next_edit_rows(rows_of(context), context.input(5), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(6); }
};

/// Inputs: those of rows_of.
class OptimalCompletionsOp : public DeviceOp {
 public:
  OptimalCompletionsOp(Dim labels, int64_t blank) : labels_(std::move(labels)), blank_(blank) {}
  std::string_view name() const override { return "optimal_completions"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("labels", labels_);
    visitor.field("blank", blank_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check(name(), inputs);
    return {{DType::kInt32, {inputs[0].dims[0], labels_}}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), smallest_after_labels(rows_of(context), blank_, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(5); }

 private:
  Dim labels_;
  int64_t blank_;
};

std::vector<Expr> inputs_of(const EditDistanceRow& row) {
  return {row.last, row.count, cast(row.ended, DType::kInt32), row.b, row.lengths};
}

}  // namespace

Expr next_edit_distance_row(const EditDistanceRow& row, Expr a) {
  std::vector<Expr> inputs = inputs_of(row);
  inputs.push_back(a);
  return a.graph->add(std::make_shared<const NextRowOp>(), std::move(inputs));
}

Expr optimal_completions(const EditDistanceRow& row, const Dim& labels, int64_t blank) {
  return row.last.graph->add(std::make_shared<const OptimalCompletionsOp>(labels, blank), inputs_of(row));
}

}  // namespace wende::ops
