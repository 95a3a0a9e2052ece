#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// A sum under way; wait() before the memory is read or written.
class PendingSum {
 public:
  virtual ~PendingSum() = default;
  virtual void wait() = 0;
  virtual bool done() = 0;
};

/// Starts sums over the ranks of one kind of memory: a Communicator in the host's, device_sums() in the GPUs'.
class AsyncSums {
 public:
  virtual ~AsyncSums() = default;
  virtual std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) = 0;  ///< in place, any order of waits
};

/// The ranks of a run. `self` (one rank, no MPI) is a full implementation.
class Communicator : public AsyncSums {
 public:
  static std::unique_ptr<Communicator> self();
  /// MPI_COMM_WORLD. `self()` semantics with one rank, but through MPI.
  static std::unique_ptr<Communicator> mpi(int* argc, char*** argv);
  /// mpi() if the environment shows a launcher (OMPI_*, PMIX_*, SLURM_NTASKS > 1), else self(). Singletons started
  /// by mistake (launcher says > 1, world is 1) throw kUsage.
  static std::unique_ptr<Communicator> detect(int* argc, char*** argv);

  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool is_root() const { return rank() == 0; }

  /// Memory in which float sums are faster, until the communicator ends; all ranks call it with the same size. Null
  /// where no ranks share a host, or where such memory is short.
  virtual std::byte* memory_for_sums(size_t bytes) {
    (void)bytes;
    return nullptr;
  }
  virtual void all_sum(float* values, size_t count) = 0;  ///< in place
  virtual void all_sum(double* values, size_t count) = 0;
  virtual void all_max(int64_t* values, size_t count) = 0;
  virtual void broadcast(void* data, size_t bytes, int root = 0) = 0;
  std::string broadcast_string(std::string text, int root = 0);
  /// Rank 0 gets every rank's bytes, in rank order; the others an empty vector.
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;
  virtual void barrier() = 0;
  /// Ends all ranks with this status; the message goes to stderr first. Does not return.
  [[noreturn]] virtual void abort(int status, const std::string& message) = 0;
  virtual std::string host_name() const = 0;
  virtual std::string description() const = 0;     ///< "Open MPI v4.1.4", "self"
  virtual std::string sums() const { return ""; }  ///< which way sums in memory_for_sums() go
};

}  // namespace wende
