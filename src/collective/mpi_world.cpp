#include "collective/mpi_world.h"

#include <fmt/core.h>

#include <string>

#include "base/error.h"
#include "base/progress.h"

namespace wende {
namespace {

constexpr Phase kSum{"allreduce", PhaseKind::kWait};

}  // namespace

void require_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ExitStatus::kFailure, fmt::format("{} failed: {}", what, std::string(text, static_cast<size_t>(length))))
      .hint("another rank may have died or left; its message tells why");
}

MpiWorld::MpiWorld() {
  require_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
  MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
}

MpiWorld::~MpiWorld() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized) MPI_Comm_free(&world_);
}

void MpiRequests::wait() {
  const PhaseScope phase(kSum);
  for (MPI_Request& request : requests_) require_mpi(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait of a sum");
}

bool MpiRequests::done() {
  for (MPI_Request& request : requests_) {
    int finished = 0;
    require_mpi(MPI_Test(&request, &finished, MPI_STATUS_IGNORE), "MPI_Test of a sum");
    if (!finished) return false;
  }
  return true;
}

}  // namespace wende
