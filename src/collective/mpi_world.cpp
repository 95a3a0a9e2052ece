#include "collective/mpi_world.h"

#include "collective/mpi_call.h"

namespace wende {

MpiWorld::MpiWorld() {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
  MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
}

MpiWorld::~MpiWorld() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized) MPI_Comm_free(&world_);
}

void MpiRequests::wait() {
  const PhaseScope phase(phases::kAllReduce);
  for (MPI_Request& request : requests_) check_mpi(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait of a sum");
}

bool MpiRequests::done() {
  for (MPI_Request& request : requests_) {
    int finished = 0;
    check_mpi(MPI_Test(&request, &finished, MPI_STATUS_IGNORE), "MPI_Test of a sum");
    if (!finished) return false;
  }
  return true;
}

}  // namespace wende
