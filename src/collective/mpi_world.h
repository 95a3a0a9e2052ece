#pragma once

#include <mpi.h>

#include <cstddef>
#include <vector>

namespace wende {

/// A duplicate of MPI_COMM_WORLD: collectives on it are in an order of their own.
class MpiWorld {
 public:
  MpiWorld();
  ~MpiWorld();
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;
  MPI_Comm get() const { return world_; }

 private:
  MPI_Comm world_ = MPI_COMM_NULL;
};

/// Requests under way. Freeing a collective's request is not allowed, and its memory must outlive it: the end waits.
class MpiRequests {
 public:
  MpiRequests() = default;
  ~MpiRequests() {
    for (MPI_Request& request : requests_) MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
  MpiRequests(const MpiRequests&) = delete;
  MpiRequests& operator=(const MpiRequests&) = delete;

  MPI_Request* add() { return &requests_.emplace_back(MPI_REQUEST_NULL); }
  void wait();
  bool done();

 private:
  std::vector<MPI_Request> requests_;
};

/// A count of MPI is an int.
constexpr size_t kMostMpiElements = size_t{1} << 30;

}  // namespace wende
