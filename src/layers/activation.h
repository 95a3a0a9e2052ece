#pragma once

#include <string>
#include <vector>

#include "config/value.h"
#include "graph/graph.h"
#include "layers/layer_builder.h"

namespace wende {

/// Applies an activation by RETURNN's name ("relu", "10.0*sigmoid", None); softmax forms act on the last axis
/// (feature_axis). Throws kConfig at option's place with the closest name.
Expr apply_activation(const Value& option, Expr x, int feature_axis);
std::vector<std::string> activation_names();

/// Makes the activation's input x known to losses: "before_activation", and "logits" where their log probabilities
/// are stable (softmax, log_softmax, sigmoid, exp).
void add_logits(LayerBuilder& builder, const Value& activation, Expr x);
/// The same sub-outputs as those of the layer's source, if there is one only and no dropout.
void pass_on_logits(LayerBuilder& builder);

}  // namespace wende
