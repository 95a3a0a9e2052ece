#pragma once

#include <cstdint>

namespace wende {

/// What products on a GPU may take to work with, per stream: as NVIDIA advises for Hopper.
constexpr uint64_t kProductWorkspaceBytes = uint64_t{32} << 20;

}  // namespace wende
