#pragma once

#include <string>
#include <vector>

#include "dims/data.h"
#include "layers/layer_builder.h"

namespace wende {

/// Template of several sources concatenated on the feature axis in their common layout. A single source passes through
/// (sparse too). Throws kConfig for sparse sources among several and for different time dims.
Data concat_input_data(const std::vector<Data>& sources, const std::string& name);

/// The numbers to it; `data` is what concat_input_data gave.
Expr concat_input(const std::vector<LayerOutput>& sources, const Data& data);

/// A copy of `input` as float data whose feature dim has n elements: the same dim where the size stays.
Data with_feature_size(const Data& input, int64_t n, const std::string& dim_name);

/// The static feature size of the (sparse: sparse size) input; throws kConfig if it has none.
int64_t input_size(const Data& input);

}  // namespace wende
