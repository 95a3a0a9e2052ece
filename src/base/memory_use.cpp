#include "base/memory_use.h"

#include <unistd.h>

#include <cstdio>

namespace wende {

MemoryUse memory_use() {
  long all = 0;
  long resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &all, &resident) != 2) all = resident = 0;
    std::fclose(file);
  }
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return {static_cast<double>(all) * page, static_cast<double>(resident) * page};
}

}  // namespace wende
