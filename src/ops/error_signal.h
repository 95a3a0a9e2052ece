#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// The value of `loss`; the gradient of x is error_signal times the gradient of the loss (or, with ignore_scale, the
/// error signal as it is), whatever the loss was computed from. loss: scalar, or of x's rank and broadcasting to x.
/// error_signal: as x.
Expr with_error_signal(Expr loss, Expr x, Expr error_signal, bool ignore_scale = false);

}  // namespace wende::ops
