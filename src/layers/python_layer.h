#pragma once

#include <optional>
#include <string>

#include "layers/layer.h"

namespace wende {

/// A layer class that the config itself defines in Python (a subclass of RETURNN's LayerBase, made known by
/// register_layer_class): get_out_data_from_opts gives its template, and the TensorFlow code of __init__ is traced to
/// graph. Nothing if the config has no such class; throws kConfig for classes that define more than these two.
std::optional<LayerClass> python_layer_class(const std::string& name, const Value& place);

}  // namespace wende
