#pragma once

#include "layers/layer.h"

namespace wende {

/// out_type of the layer, as a dict of Data arguments or a function that returns a Data (called with name, n_out,
/// sources and the layer's options), applied to `out`, the template that the class would make of the sources alone.
/// For classes whose result may be anything (eval, combine).
void apply_out_type(const LayerContext& context, Data& out);

/// A template as Python's Data sees it; `index`: which source it is.
Value data_value(const Data& data, int index);

/// The same option on any other class: it may set which axis is time or feature, and must agree in size and type.
void verify_out_type(const Value& type, const LayerContext& context, Data& out);

}  // namespace wende
