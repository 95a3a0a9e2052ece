#pragma once

namespace wende {

/// Memory of this process in bytes; zeros where the system does not tell.
struct MemoryUse {
  double address_space = 0;
  double resident = 0;
};

MemoryUse memory_use();

}  // namespace wende
