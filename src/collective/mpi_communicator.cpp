#include <fmt/core.h>
#include <mpi.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "base/progress.h"
#include "collective/communicator.h"
#include "collective/host_sums.h"
#include "collective/mpi_call.h"
#include "collective/mpi_world.h"

namespace wende {
namespace {

constexpr Phase kBroadcast{"broadcast", PhaseKind::kWait};
constexpr Phase kGather{"gather", PhaseKind::kWait};
constexpr Phase kBarrier{"barrier", PhaseKind::kWait};

template <class T>
void all_reduce(T* values, size_t count, MPI_Datatype type, MPI_Op operation, MPI_Comm world) {
  const PhaseScope phase(phases::kAllReduce);
  for (size_t begin = 0; begin < count; begin += kMostMpiElements) {
    int piece = static_cast<int>(std::min(kMostMpiElements, count - begin));
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values + begin, piece, type, operation, world), "MPI_Allreduce");
  }
}

class MpiPendingSum : public PendingSum {
 public:
  MpiPendingSum(float* values, size_t count, MPI_Comm world) {
    for (size_t begin = 0; begin < count; begin += kMostMpiElements) {
      int piece = static_cast<int>(std::min(kMostMpiElements, count - begin));
      check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values + begin, piece, MPI_FLOAT, MPI_SUM, world, requests_.add()),
                "MPI_Iallreduce");
    }
  }
  void wait() override { requests_.wait(); }
  bool done() override { return requests_.done(); }

 private:
  MpiRequests requests_;
};

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(int* argc, char*** argv) {
    int initialized = 0;
    MPI_Initialized(&initialized);
    if (!initialized) {
      int provided = 0;
      // Open MPI 4.1 sums in place along a binomial tree, 2 log2(N) times the data over each link; reduce-scatter and
      // allgather (algorithm 3) need 2 (N-1)/N times. Whoever sets the variable decides.
      ::setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", 0);
      // Serialized: a watchdog thread may ask, but never at the same time as the training thread.
      check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
      owns_mpi_ = true;
    }
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(world_, &rank_);
    MPI_Comm_size(world_, &size_);
    host_sums_ = HostSums::make(world_);
  }
  ~MpiCommunicator() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized) return;
    host_sums_.reset();
    MPI_Comm_free(&world_);
    if (owns_mpi_) MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void all_sum(float* values, size_t count) override {
    if (host_sums_ != nullptr && host_sums_->holds(values)) {
      host_sums_->start(values, count)->wait();
    } else {
      all_reduce(values, count, MPI_FLOAT, MPI_SUM, world_);
    }
  }
  void all_sum(double* values, size_t count) override { all_reduce(values, count, MPI_DOUBLE, MPI_SUM, world_); }
  void all_max(int64_t* values, size_t count) override { all_reduce(values, count, MPI_INT64_T, MPI_MAX, world_); }
  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    if (host_sums_ != nullptr && host_sums_->holds(values)) return host_sums_->start(values, count);
    return std::make_unique<MpiPendingSum>(values, count, world_);
  }

  std::byte* memory_for_sums(size_t bytes) override {
    return host_sums_ != nullptr ? host_sums_->memory(bytes) : nullptr;
  }

  void broadcast(void* data, size_t bytes, int root) override {
    const PhaseScope phase(kBroadcast);
    auto* begin = static_cast<std::byte*>(data);
    for (size_t done = 0; done < bytes; done += kMostMpiElements) {
      int piece = static_cast<int>(std::min(kMostMpiElements, bytes - done));
      check_mpi(MPI_Bcast(begin + done, piece, MPI_BYTE, root, world_), "MPI_Bcast");
    }
  }

  std::vector<std::string> gather(const std::string& bytes) override;

  void barrier() override {
    const PhaseScope phase(kBarrier);
    check_mpi(MPI_Barrier(world_), "MPI_Barrier");
  }

  [[noreturn]] void abort(int status, const std::string& message) override {
    fmt::print(stderr, "rank {} of {}: {}\n", rank_, size_, message);
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
  }

  std::string host_name() const override {
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    int length = 0;
    MPI_Get_processor_name(name, &length);
    return {name, static_cast<size_t>(length)};
  }

  std::string description() const override {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    std::string line(text, static_cast<size_t>(length));
    return line.substr(0, line.find_first_of(",\n"));
  }

  std::string sums() const override { return host_sums_ != nullptr ? host_sums_->description() : "by MPI"; }

 private:
  MPI_Comm world_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  bool owns_mpi_ = false;
  std::unique_ptr<HostSums> host_sums_;  ///< null where each rank has a host of its own
};

std::vector<std::string> MpiCommunicator::gather(const std::string& bytes) {
  constexpr int kTag = 17;
  const PhaseScope phase(kGather);
  uint64_t mine = bytes.size();
  std::vector<uint64_t> sizes(static_cast<size_t>(size_));
  check_mpi(MPI_Gather(&mine, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, 0, world_), "MPI_Gather");
  // Messages instead of MPI_Gatherv: its displacements are int and would limit the sum of all sizes to 2 GiB.
  if (rank_ != 0) {
    for (size_t done = 0; done < bytes.size(); done += kMostMpiElements) {
      int piece = static_cast<int>(std::min(kMostMpiElements, bytes.size() - done));
      check_mpi(MPI_Send(bytes.data() + done, piece, MPI_BYTE, 0, kTag, world_), "MPI_Send of a gather");
    }
    return {};
  }
  std::vector<std::string> all{bytes};
  for (int from = 1; from < size_; ++from) {
    std::string& text = all.emplace_back(sizes[static_cast<size_t>(from)], '\0');
    for (size_t done = 0; done < text.size(); done += kMostMpiElements) {
      int piece = static_cast<int>(std::min(kMostMpiElements, text.size() - done));
      check_mpi(MPI_Recv(text.data() + done, piece, MPI_BYTE, from, kTag, world_, MPI_STATUS_IGNORE),
                "MPI_Recv of a gather");
    }
  }
  return all;
}

}  // namespace

std::unique_ptr<Communicator> Communicator::mpi(int* argc, char*** argv) {
  return std::make_unique<MpiCommunicator>(argc, argv);
}

}  // namespace wende
