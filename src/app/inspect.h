#pragma once

#include <string>

namespace wende {

/// `wende inspect FILE`: what a HDF dataset or dump, a case file, a .safetensors file or a checkpoint folder holds.
/// In a child process, so that a file that crashes its reader is refused (65) like any other damaged one. The status.
int inspect(const std::string& path);

}  // namespace wende
