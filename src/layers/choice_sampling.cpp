#include "layers/choice_sampling.h"

#include <fmt/core.h>

#include "config/config.h"
#include "layers/choice_scores.h"
#include "ops/dropout.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {

/// Uniform numbers [R,size], without `size` [R]. Those of hypotheses belong to their sequence, as all random numbers
/// do.
static Expr uniform_rows(Graph& graph, const Dim& rows, const Dim& size, uint32_t key) {
  std::vector<Dim> dims{rows};
  std::vector<Dim> drawn = rows.op() == Dim::Op::kMul ? rows.operands() : dims;
  if (size.defined()) {
    dims.push_back(size);
    drawn.push_back(size);
  }
  const Expr uniform = ops::random_uniform(graph, drawn, 0.0, 1.0, key);
  return drawn.size() == dims.size() ? uniform : ops::reshape(uniform, dims);
}

Expr gumbel_noise(Expr scores, uint32_t key) {
  const auto negative_log = [](Expr x) { return ops::scale(ops::unary(ops::Unary::kLog, x), -1.0); };
  return negative_log(negative_log(uniform_rows(*scores.graph, scores.dim(0), scores.dim(1), key)));
}

LabelSampling::LabelSampling(const Value& option) : option_(option) {
  if (option.is_dict()) {
    for (const auto& [key, value] : option.entries()) {
      if (key.as_string() != "gold_mixin_prob") {
        throw value.error("unknown option '" + key.as_string() + "' of scheduled_sampling")
            .hint(did_you_mean(key.as_string(), {"gold_mixin_prob"}));
      }
      gold_share_ = value.is_number() ? value.as_float() : value.as_bool() ? 1.0 : 0.0;
    }
    on_ = !option.entries().empty();
  } else if (option.is_none() || option.kind() == Value::Kind::kBool) {
    on_ = !option.is_none() && option.as_bool();
  } else {
    throw option.error("scheduled_sampling is True, False or a dict, got " + option.repr());
  }
  if (!(gold_share_ >= 0.0 && gold_share_ <= 1.0)) {
    throw option.error(fmt::format("gold_mixin_prob is a probability, got {}", gold_share_));
  }
}

Data LabelSampling::out_data(const LayerContext& context, const Data& labels) const {
  if (context.sources.size() != 1 || context.targets.size() != 1) {
    throw option_.error("scheduled_sampling needs one source and one target");
  }
  return labels.with_name(context.name);
}

Expr LabelSampling::draw(LayerBuilder& builder, const Value& input_type, bool regression) const {
  const LayerOutput source = builder.source(0);
  Expr own = source.expr;
  if (!regression) {
    const Expr scores = choice_log_scores(builder, 0, input_type);
    own = ops::argmax(ops::add(scores, gumbel_noise(scores, builder.random_key("labels"))), 1);
  }
  if (gold_share_ == 0.0) {
    return own;
  }
  Graph& graph = builder.graph();
  const Expr uniform = uniform_rows(graph, own.dim(0), {}, builder.random_key("gold"));
  const Expr gold = ops::binary(ops::Binary::kLess, uniform, ops::constant(graph, gold_share_));
  return ops::where(regression ? ops::expand_dims(gold, 1) : gold, builder.target(0).expr, own);
}

}  // namespace wende
