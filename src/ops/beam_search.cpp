#include "ops/beam_search.h"

#include "graph/device_op.h"
#include "kernels/beam_search.h"
#include "ops/leaf.h"

namespace wende::ops {
namespace {

class BeamStepOp final : public DeviceOp {
 public:
  BeamStepOp(int64_t from, int64_t to, Dim chosen, bool keep_beams)
      : from_(from), to_(to), chosen_(std::move(chosen)), keep_beams_(keep_beams) {}
  std::string_view name() const override { return "beam_step"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("from", from_);
    visitor.field("to", to_);
    visitor.field("chosen", chosen_);
    visitor.field("keep_beams", keep_beams_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kFloat32 || inputs[0].dims.size() != 2 || inputs[1].dtype != DType::kInt32 ||
        !inputs[1].dims.empty()) {
      op_error(name(), "needs float32 [B,V] and an int32 scalar", inputs);
    }
    const std::vector<Dim> batch{chosen_};
    return {{DType::kInt32, batch}, {DType::kInt32, batch}, {DType::kBool, batch}};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), beam_step(context.input(0), context.input(1), from_, to_, keep_beams_,
                                                context.output(0), context.output(1), context.output(2)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {{}, {}}; }

 private:
  int64_t from_;
  int64_t to_;
  Dim chosen_;  ///< [B*to]
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

BeamStep beam_step(Expr scores, Expr step, int64_t from, int64_t to, const Dim& chosen, bool keep_beams) {
  Graph& graph = *scores.graph;
  const Expr when = graph.capture(step.defined() ? step : int_constant(graph, 1));
  const Expr labels = graph.add(std::make_shared<const BeamStepOp>(from, to, chosen, keep_beams), {scores, when});
  return {labels, graph.output_of(labels, 1), graph.output_of(labels, 2)};
}

BeamTrace trace_beams(Expr rows, Expr steps) {
  const Expr chosen = rows.graph->add(std::make_shared<const BeamTraceOp>(), {rows, steps});
  return {chosen, rows.graph->output_of(chosen, 1)};
}

}  // namespace wende::ops
