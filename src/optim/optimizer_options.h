#pragma once

#include "config/config.h"
#include "optim/optimizer.h"

namespace wende {

/// The value of an option that may be None, False or absent: nullptr then.
const Value* given(const Config& config, const char* name);

/// {"class": ...} that says the same as the older options adam, nadam, adadelta, adagrad, rmsprop, momentum.
Value default_optimizer_options(const Config& config, const OptimizerDefaults& defaults);

}  // namespace wende
