#pragma once

#include <fmt/core.h>
#include <mpi.h>

#include <string>

#include "base/error.h"
#include "base/progress.h"

namespace wende {

namespace phases {
inline constexpr Phase kAllReduce{"allreduce", PhaseKind::kWait};
}  // namespace phases

/// Throws kFailure with MPI's own words unless the code of an MPI call is success.
inline void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ExitStatus::kFailure, fmt::format("{} failed: {}", what, std::string(text, static_cast<size_t>(length))))
      .hint("another rank may have died or left; its message tells why");
}

}  // namespace wende
