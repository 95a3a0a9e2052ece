#include "ops/edit_distance_row.h"

#include <algorithm>
#include <vector>

#include "graph/op.h"
#include "ops/pointwise.h"

namespace wende::ops {
namespace {

/// One sequence of the inputs [last, count, ended, b, lengths].
struct Sequence {
  Sequence(const RunContext& context, int64_t index)
      : size(context.input(0).dim(1)),
        last(context.input(0).data<int32_t>() + index * size),
        b(context.input(3).data<int32_t>() + index * (size - 1)),
        count(context.input(1).data<int32_t>()[index]),
        ended(context.input(2).data<int32_t>()[index] != 0),
        length(std::min<int64_t>(context.input(4).data<int32_t>()[index], size - 1)) {}

  /// Entry u of the next row, after entry u - 1.
  int32_t entry(int64_t u, int32_t label, int32_t before) const {
    if (u == 0) return count + 1;
    const int32_t substituted = last[u - 1] + (label == b[u - 1] ? 0 : 1);
    return std::min({last[u] + 1, before + 1, substituted});
  }

  int64_t size;
  const int32_t* last;
  const int32_t* b;
  int32_t count;
  bool ended;
  int64_t length;
};

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

/// Inputs: those of Sequence, then a [B].
class NextRowOp : public Op {
 public:
  std::string_view name() const override { return "next_edit_distance_row"; }
  OpTraits traits() const override { return {.host_only = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check(name(), inputs);
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    for (int64_t i = 0; i < out.dim(0); ++i) {
      const Sequence sequence(context, i);
      const int32_t label = context.input(5).data<int32_t>()[i];
      int32_t* row = out.data<int32_t>() + i * sequence.size;
      int32_t distance = 0;
      for (int64_t u = 0; u < sequence.size; ++u) {
        if (u <= sequence.length) {
          distance = sequence.ended ? sequence.last[u] : sequence.entry(u, label, distance);
        }
        row[u] = distance;
      }
    }
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(6); }
};

/// Inputs: those of Sequence.
class OptimalCompletionsOp : public Op {
 public:
  OptimalCompletionsOp(Dim labels, int64_t blank) : labels_(std::move(labels)), blank_(blank) {}
  std::string_view name() const override { return "optimal_completions"; }
  OpTraits traits() const override { return {.host_only = true}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("labels", labels_);
    visitor.field("blank", blank_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check(name(), inputs);
    return {{DType::kInt32, {inputs[0].dims[0], labels_}}};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    for (int64_t i = 0; i < out.dim(0); ++i) {
      const Sequence sequence(context, i);
      for (int64_t label = 0; label < out.dim(1); ++label) {
        const bool stays = sequence.ended || label == blank_;
        int32_t distance = 0;
        int32_t smallest = INT32_MAX;
        for (int64_t u = 0; u <= sequence.length; ++u) {
          distance = stays ? sequence.last[u] : sequence.entry(u, static_cast<int32_t>(label), distance);
          smallest = std::min(smallest, distance);
        }
        out.data<int32_t>()[i * out.dim(1) + label] = smallest;
      }
    }
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
