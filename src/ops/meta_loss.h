#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// A loss that only backward can see: the gradient that arrives somewhere is compared with something. It gets an update
/// of its own, after that of the objective (RETURNN's MetaLosses).
struct MetaLoss {
  std::string name;  ///< "sg/synthetic_grad": the log has it as cost:<name>
  double scale = 1.0;
  Expr value;           ///< scalar
  Expr elements;        ///< scalar float: the number of elements of the gradient, padding included
  bool summed = false;  ///< a sum over those elements, not a mean
};

/// x; what arrives as gradient is replaced by `synthetic`, and mean((synthetic - arrived)^2) is a meta loss.
Expr synthetic_gradient(Expr x, Expr synthetic, double scale, const std::string& name);
/// x; half the squared norm of the gradient that arrives is a meta loss. dummy: a scalar parameter whose gradient is 0,
/// so that one exists even where x depends on no other.
Expr tikhonov_regularized(Expr x, Expr dummy, double scale, const std::string& name);

/// Those that backward has met, in the order of the graph. Call after gradients().
std::vector<MetaLoss> meta_losses(const Graph& graph);

}  // namespace wende::ops
