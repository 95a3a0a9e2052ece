#include "ops/argsort.h"

#include "graph/device_op.h"
#include "kernels/argsort.h"

namespace wende::ops {
namespace {

class ArgsortOp final : public DeviceOp {
 public:
  std::string_view name() const override { return "argsort"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kFloat32 || inputs[0].dims.empty()) {
      op_error(name(), "sorts floats along the last axis", inputs);
    }
    return {{DType::kInt32, inputs[0].dims}, inputs[0]};
  }
  void run(RunContext& context) const override {
    const cpu::Scratch scratch = [&context](Shape shape) { return context.scratch(DType::kFloat32, std::move(shape)); };
    WENDE_ON_DEVICE(context.device(), argsort_descending(context.input(0), scratch, context.output(0),
                                                         context.output_wanted(1) ? context.output(1) : Tensor()));
  }
};

}  // namespace

Expr argsort_descending(Expr x) { return x.graph->add(std::make_shared<const ArgsortOp>(), {x}); }

}  // namespace wende::ops
