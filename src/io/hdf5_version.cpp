#include "io/hdf5_version.h"

#include <fmt/core.h>

#include "io/hdf5_handle.h"

namespace wende {

std::string hdf5_version() {
  hdf5::prepare_library();
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace wende
