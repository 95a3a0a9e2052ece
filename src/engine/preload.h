#pragma once

#include <string>

namespace wende {

/// What a path of a model in a config means, for load_parameters: of "net.023" our "net.023.wende", or RETURNN's own
/// TensorFlow checkpoint. Throws kMissingInput.
std::string parameter_file(const std::string& path);

}  // namespace wende
