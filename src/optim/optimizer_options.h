#pragma once

#include <memory>

#include "config/config.h"
#include "optim/optimizer.h"

namespace wende {

/// The value of an option that may be None, False or absent: nullptr then.
const Value* given(const Config& config, const char* name);

/// {"class": ...} that says the same as the older options adam, nadam, adadelta, adagrad, rmsprop, momentum.
Value default_optimizer_options(const Config& config, const OptimizerDefaults& defaults);

OptimizerDefaults optimizer_defaults(const Config& config);

/// The options of a parameter with these updater_opts: the layer's own, or the default optimiser's.
Value optimizer_options(const Value& updater_opts, const Value& default_options);

/// Without "class" the options are for the default optimiser's class. Throws at what is unknown, with the closest name.
std::unique_ptr<Optimizer> optimizer_of(const Value& options, const Value& default_options,
                                        const OptimizerDefaults& defaults);

}  // namespace wende
