// cudasim: while a rank blocks in MPI, its streams must go on (on a GPU they do). Blocking MPI calls are turned into
// their nonblocking form plus a loop that tests the request and steps the streams.
#include <mpi.h>
#include <unistd.h>

#include "core.hpp"

namespace cudasim {
bool progress();
}
namespace {
int wait(int rc, MPI_Request& r, MPI_Status* st = MPI_STATUS_IGNORE) {
  for (int done = 0; rc == MPI_SUCCESS && !done;) {
    rc = PMPI_Test(&r, &done, st);
    if (!done && !cudasim::progress()) usleep(50);
  }
  return rc;
}
}  // namespace
#define GO(call) \
  MPI_Request r; \
  return wait(call, r)
extern "C" {
int MPI_Barrier(MPI_Comm c) { GO(PMPI_Ibarrier(c, &r)); }
int MPI_Bcast(void* b, int n, MPI_Datatype t, int root, MPI_Comm c) { GO(PMPI_Ibcast(b, n, t, root, c, &r)); }
int MPI_Allreduce(const void* s, void* d, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c) {
  GO(PMPI_Iallreduce(s, d, n, t, o, c, &r));
}
int MPI_Allgather(const void* s, int n, MPI_Datatype t, void* d, int m, MPI_Datatype u, MPI_Comm c) {
  GO(PMPI_Iallgather(s, n, t, d, m, u, c, &r));
}
int MPI_Recv(void* b, int n, MPI_Datatype t, int src, int tag, MPI_Comm c, MPI_Status* st) {
  MPI_Request r;
  return wait(PMPI_Irecv(b, n, t, src, tag, c, &r), r, st);
}
int MPI_Send(const void* b, int n, MPI_Datatype t, int dst, int tag, MPI_Comm c) {
  GO(PMPI_Isend(b, n, t, dst, tag, c, &r));
}
int MPI_Wait(MPI_Request* r, MPI_Status* st) { return wait(MPI_SUCCESS, *r, st); }
}
