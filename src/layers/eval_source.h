#pragma once

#include <functional>
#include <vector>

#include "layers/eval_trace.h"
#include "layers/layer_builder.h"

namespace wende {

/// The value of an eval string or function: names tf, source(i, ...), self, and eval_locals. Sources come in the common
/// layout; axes that a source lacks have size 1.
Expr evaluate_sources(LayerBuilder& builder, const std::vector<LayerOutput>& sources, const Value& eval,
                      const Value& locals);

/// A source as Python's Data, with its tensor and lengths; `index`: which one it is.
Value source_object(LayerBuilder& builder, const LayerOutput& source, int index);
/// What `trace` gives, which runs Python code that may ask for the layer's training flag, random numbers and variables,
/// and make assertions.
Expr traced_for_layer(LayerBuilder& builder, const std::function<Expr()>& trace);

}  // namespace wende
