#pragma once

#include <vector>

#include "layers/eval_trace.h"
#include "layers/layer_builder.h"

namespace wende {

/// The value of an eval string or function: names tf, source(i, ...), self, and eval_locals. Sources come in the common
/// layout; axes that a source lacks have size 1.
Expr evaluate_sources(LayerBuilder& builder, const std::vector<LayerOutput>& sources, const Value& eval,
                      const Value& locals);

}  // namespace wende
