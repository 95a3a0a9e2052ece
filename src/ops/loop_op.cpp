#include "ops/loop_op.h"

namespace wende::ops {

void LoopOp::attributes(AttributeVisitor& visitor) const {
  visitor.field("body", static_cast<int64_t>(body_->graph->id()));
  visitor.field("time", body_->time);
  visitor.field("reverse", body_->reverse);
  visitor.field("stops", body_->stop.defined());
}

std::vector<ExprType> LoopOp::infer(const std::vector<ExprType>& inputs) const {
  std::vector<ExprType> outputs;
  for (const LoopBody::State& state : body_->states) {
    const ExprType& type = body_->graph->node(state.leaf).outputs[0];
    const ExprType& next = state.next.type();
    bool fits = next.dtype == type.dtype && next.dims.size() == type.dims.size();
    for (size_t i = 0; fits && i < type.dims.size(); ++i) fits = type.dims[i].same_size(next.dims[i]);
    if (!fits) op_error(name(), "a state changes its type in a step", {type, next});
    if (state.initial >= 0) {
      const ExprType& initial = inputs[static_cast<size_t>(state.initial)];
      fits = initial.dtype == type.dtype && initial.dims.size() == type.dims.size();
      for (size_t i = 0; fits && i < type.dims.size(); ++i) fits = type.dims[i].same_size(initial.dims[i]);
      if (!fits) op_error(name(), "the initial value of a state has another type", {type, initial});
    }
    outputs.push_back(type);
  }
  for (const Expr& value : body_->values) {
    ExprType type = value.type();
    type.dims.insert(type.dims.begin(), body_->time);
    outputs.push_back(std::move(type));
  }
  return outputs;
}

}  // namespace wende::ops
