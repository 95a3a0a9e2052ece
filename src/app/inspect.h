#pragma once

#include <string>

namespace wende {

/// `wende inspect FILE`: what a HDF dataset or dump, a case file, a .safetensors file or a checkpoint folder holds.
void inspect(const std::string& path);

}  // namespace wende
