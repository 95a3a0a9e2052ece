#include "io/hdf5_version.h"

#include <H5public.h>
#include <fmt/core.h>

namespace wende {

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace wende
