#pragma once

#include "config/config.h"

namespace wende {

/// `wende check`: builds the config's network in training mode and prints its table: layer, class, template,
/// parameters. Needs no data. Throws like a training start would.
void check(const Config& config);

}  // namespace wende
