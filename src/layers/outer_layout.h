#pragma once

#include <string>
#include <vector>

#include "dims/data.h"

namespace wende {

/// broadcast_layout, where before behavior_version 4 features of different sizes stand side by side: [B,T,6] and [B,3]
/// give [B,T,6,3]. Later ones are an error. Source: RETURNN's get_common_data.
Data outer_layout(const std::vector<Data>& sources, const std::string& name, int behavior_version);

}  // namespace wende
