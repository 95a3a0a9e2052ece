#pragma once

#include <string>

namespace wende::cuda {

/// ", cuDNN 9.10.2": to compare over ranks; empty in builds without it.
std::string rnn_library_text();

}  // namespace wende::cuda
