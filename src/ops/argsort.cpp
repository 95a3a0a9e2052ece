#include "ops/argsort.h"

#include <algorithm>
#include <numeric>

#include "graph/op.h"

namespace wende::ops {
namespace {

class ArgsortOp final : public Op {
 public:
  std::string_view name() const override { return "argsort"; }
  OpTraits traits() const override { return {.host_only = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kFloat32 || inputs[0].dims.empty()) {
      op_error(name(), "sorts floats along the last axis", inputs);
    }
    return {{DType::kInt32, inputs[0].dims}, inputs[0]};
  }

  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const int64_t n = x.dim(x.rank() - 1);
    const float* values = x.data<float>();
    auto* order = context.output(0).data<int32_t>();
    for (int64_t begin = 0; begin < x.elements(); begin += n) {
      std::iota(order + begin, order + begin + n, 0);
      std::stable_sort(order + begin, order + begin + n,
                       [row = values + begin](int32_t a, int32_t b) { return row[a] > row[b]; });
    }
    if (!context.output_wanted(1)) {
      return;
    }
    auto* sorted = context.output(1).data<float>();
    for (int64_t i = 0; i < x.elements(); ++i) {
      sorted[i] = values[i / n * n + order[i]];
    }
  }
};

}  // namespace

Expr argsort_descending(Expr x) { return x.graph->add(std::make_shared<const ArgsortOp>(), {x}); }

}  // namespace wende::ops
