#include "ops/candidate_sampler.h"

#include <utility>

#include "graph/device_op.h"
#include "graph/executor.h"
#include "graph/run_numbers.h"

namespace wende::ops {

namespace {

/// Input: labels [N]. Outputs: candidates [S], expected counts of the labels [N] and of the candidates [S].
class CandidateSamplerOp : public DeviceOp {
 public:
  CandidateSamplerOp(std::shared_ptr<const cpu::CandidateSampler> sampler, int64_t count, uint32_t key)
      : sampler_(std::move(sampler)), count_(count), key_(key) {}
  std::string_view name() const override { return "candidate_sampler"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("count", count_);
    visitor.field("key", static_cast<int64_t>(key_));
  }
  OpTraits traits() const override { return {.pure = false}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kInt32 || inputs[0].dims.size() != 1) op_error(name(), "needs labels [N]", inputs);
    const Dim drawn = Dim::fixed(count_);
    return {{DType::kInt32, {drawn}}, {DType::kFloat32, inputs[0].dims}, {DType::kFloat32, {drawn}}};
  }
  void run(RunContext& context) const override {
    const RunNumbers* numbers = context.device().is_cpu() ? nullptr : context.options().numbers;
    const Philox random = Philox::keyed(context.seed(), numbers != nullptr ? 0 : context.step(), key_);
    const int64_t* step = numbers != nullptr ? numbers->random().step : nullptr;
    WENDE_ON_DEVICE(context.device(), draw_candidates(*sampler_, random, step, context.input(0),
                                                      {context.output(0), context.output(1), context.output(2)}));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {Expr{}}; }

 private:
  std::shared_ptr<const cpu::CandidateSampler> sampler_;
  int64_t count_;
  uint32_t key_;
};

}  // namespace

Candidates sample_candidates(Expr labels, std::shared_ptr<const cpu::CandidateSampler> sampler, int64_t count,
                             uint32_t key) {
  Graph& graph = *labels.graph;
  const Expr classes = graph.add(std::make_shared<const CandidateSamplerOp>(std::move(sampler), count, key), {labels});
  return {classes, graph.output_of(classes, 1), graph.output_of(classes, 2)};
}

}  // namespace wende::ops
