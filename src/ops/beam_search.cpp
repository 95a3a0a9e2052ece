#include "ops/beam_search.h"

#include "graph/device_op.h"
#include "kernels/beam_search.h"

namespace wende::ops {
namespace {

class BeamStepOp final : public DeviceOp {
 public:
  BeamStepOp(int64_t beam, bool keep_beams) : beam_(beam), keep_beams_(keep_beams) {}
  std::string_view name() const override { return "beam_step"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("beam", beam_);
    visitor.field("keep_beams", keep_beams_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kFloat32 || inputs[0].dims.size() != 2 || inputs[1].dtype != DType::kInt32 ||
        !inputs[1].dims.empty()) {
      op_error(name(), "needs float32 [B,V] and an int32 scalar", inputs);
    }
    const std::vector<Dim> batch{inputs[0].dims[0]};
    return {{DType::kInt32, batch}, {DType::kInt32, batch}, {DType::kBool, batch}};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), beam_step(context.input(0), context.input(1), beam_, keep_beams_,
                                                context.output(0), context.output(1), context.output(2)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {{}, {}}; }

 private:
  int64_t beam_;
  bool keep_beams_;
};

class BeamTraceOp final : public DeviceOp {
 public:
  std::string_view name() const override { return "beam_trace"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kInt32 || inputs[0].dims.size() != 2 || inputs[1].dtype != DType::kInt32) {
      op_error(name(), "needs int32 [T,B] and an int32 scalar", inputs);
    }
    return {inputs[0], inputs[0]};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    beam_trace(context.input(0), context.input(1), context.output(0), context.output(1)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {{}, {}}; }
};

}  // namespace

BeamStep beam_step(Expr scores, Expr step, int64_t beam, bool keep_beams) {
  const Expr labels =
      scores.graph->add(std::make_shared<const BeamStepOp>(beam, keep_beams), {scores, scores.graph->capture(step)});
  return {labels, scores.graph->output_of(labels, 1), scores.graph->output_of(labels, 2)};
}

BeamTrace trace_beams(Expr rows, Expr steps) {
  const Expr chosen = rows.graph->add(std::make_shared<const BeamTraceOp>(), {rows, steps});
  return {chosen, rows.graph->output_of(chosen, 1)};
}

}  // namespace wende::ops
