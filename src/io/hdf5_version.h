#pragma once

#include <string>

namespace wende {

/// "1.10.8": of the HDF5 library that runs.
std::string hdf5_version();

}  // namespace wende
