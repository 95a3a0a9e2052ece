#pragma once

#include "config/config.h"

namespace wende {

/// As RETURNN does it: where the config says nothing of its data (no extern_data, num_inputs, num_outputs), extern_data
/// is what the training data set gives, else 'dev' or 'eval'. Opens that data set.
Config with_extern_data(Config config);

}  // namespace wende
