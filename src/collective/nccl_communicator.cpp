#include <fmt/core.h>
#include <nccl.h>

#include <cstdlib>
#include <map>
#include <thread>

#include "base/error.h"
#include "base/progress.h"
#include "collective/bfloat16.h"
#include "collective/device_sums.h"
#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"

namespace wende {
namespace {

constexpr Phase kAllReduce{"NCCL allreduce", PhaseKind::kWait};

void check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess) return;
  throw Error(ExitStatus::kFailure, fmt::format("NCCL: {} in {}", ncclGetErrorString(result), call))
      .hint("NCCL_DEBUG=INFO tells more; another rank may have died or left");
}

/// One communicator and its stream.
struct NcclState {
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  int rank = 0;
  bool aborted = false;

  explicit NcclState(Communicator& communicator) : rank(communicator.rank()) {
    ncclUniqueId id{};
    if (communicator.is_root()) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    communicator.broadcast(&id, sizeof(id));
    WENDE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    check(ncclCommInitRank(&comm, communicator.size(), id, communicator.rank()), "ncclCommInitRank");
  }
  ~NcclState() {
    if (comm != nullptr && !aborted) ncclCommDestroy(comm);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
  NcclState(const NcclState&) = delete;
  NcclState& operator=(const NcclState&) = delete;

  /// The one place where errors of running collectives are seen.
  void poll() {
    if (aborted) throw Error(ExitStatus::kFailure, fmt::format("rank {}: NCCL was ended by an error before", rank));
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm, &state), "ncclCommGetAsyncError");
    if (state == ncclSuccess || state == ncclInProgress) return;
    aborted = true;
    ncclCommAbort(comm);
    check(state, fmt::format("a sum of gradients on rank {}", rank).c_str());
  }
};

/// Collectives of one sum, in a group between two events by which the streams wait for each other.
class NcclPendingSum : public PendingSum {
 public:
  explicit NcclPendingSum(std::shared_ptr<NcclState> state) : state_(std::move(state)) {
    WENDE_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
  }
  ~NcclPendingSum() override { cudaEventDestroy(event_); }

  template <class Collectives>
  void start(Collectives collectives) {
    WENDE_CUDA_CHECK(cudaEventRecord(event_, cuda::stream()));
    WENDE_CUDA_CHECK(cudaStreamWaitEvent(state_->stream, event_, 0));
    check(ncclGroupStart(), "ncclGroupStart");
    collectives(state_->comm, state_->stream);
    check(ncclGroupEnd(), "ncclGroupEnd");
    WENDE_CUDA_CHECK(cudaEventRecord(event_, state_->stream));
  }

  /// Kernels that are launched afterwards see the sum.
  void wait() override {
    const PhaseScope phase(kAllReduce);
    while (!done()) std::this_thread::yield();
    WENDE_CUDA_CHECK(cudaStreamWaitEvent(cuda::stream(), event_, 0));
  }

  bool done() override {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
      cudaGetLastError();  // libraries that look at the last error would take it for theirs
      state_->poll();
      return false;
    }
    WENDE_CUDA_CHECK(status);
    return true;
  }

 private:
  std::shared_ptr<NcclState> state_;
  cudaEvent_t event_ = nullptr;
};

/// Rounded in memory of its own before, widened after.
class Bfloat16PendingSum final : public NcclPendingSum {
 public:
  Bfloat16PendingSum(std::shared_ptr<NcclState> state, float* values, size_t count)
      : NcclPendingSum(std::move(state)),
        values_(values),
        count_(count),
        wire_(reinterpret_cast<uint16_t*>(cuda::allocate(count * sizeof(uint16_t)))) {
    cuda::round_to_bfloat16(values_, wire_, count_);
    start([this](ncclComm_t comm, cudaStream_t stream) {
      check(ncclAllReduce(wire_, wire_, count_, ncclBfloat16, ncclSum, comm, stream), "ncclAllReduce");
    });
  }
  ~Bfloat16PendingSum() override { cuda::release(reinterpret_cast<std::byte*>(wire_)); }

  void wait() override {
    NcclPendingSum::wait();
    cuda::widen_bfloat16(wire_, values_, count_);
  }

 private:
  float* values_;
  size_t count_;
  uint16_t* wire_;
};

class NcclSums final : public AsyncSums {
 public:
  NcclSums(Communicator& communicator, bool bfloat16)
      : state_(std::make_shared<NcclState>(communicator)), bfloat16_(bfloat16) {}

  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    if (bfloat16_) return std::make_unique<Bfloat16PendingSum>(state_, values, count);
    auto sum = std::make_unique<NcclPendingSum>(state_);
    sum->start([=](ncclComm_t comm, cudaStream_t stream) {
      check(ncclAllReduce(values, values, count, ncclFloat32, ncclSum, comm, stream), "ncclAllReduce");
    });
    return sum;
  }

 private:
  std::shared_ptr<NcclState> state_;
  bool bfloat16_;
};

class NcclShards final : public ShardedSums {
 public:
  NcclShards(Communicator& communicator, const float* gradients, size_t count)
      : ShardedSums(gradients, count, communicator.size()), state_(std::make_shared<NcclState>(communicator)) {}

  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    auto sum = std::make_unique<NcclPendingSum>(state_);
    sum->start([&](ncclComm_t comm, cudaStream_t stream) {
      for (const Piece& piece : pieces(values, count)) {
        check(ncclReduce(piece.begin, piece.begin, piece.count, ncclFloat32, ncclSum, piece.owner, comm, stream),
              "ncclReduce");
      }
    });
    return sum;
  }

  void share(float* values) override {
    NcclPendingSum copies(state_);
    copies.start([&](ncclComm_t comm, cudaStream_t stream) {
      for (size_t rank = 0; rank < ranges().size(); ++rank) {
        const ShardRange& range = ranges()[rank];
        float* at = values + range.begin;
        if (range.size() == 0) continue;
        check(ncclBroadcast(at, at, range.size(), ncclFloat32, static_cast<int>(rank), comm, stream), "ncclBroadcast");
      }
    });
    copies.wait();
  }

 private:
  std::shared_ptr<NcclState> state_;
};

/// NCCL refuses or hangs when ranks share a GPU: better said before.
void require_own_gpus(Communicator& communicator) {
  const char* shared = std::getenv("WENDE_SHARE_GPU");
  const std::vector<std::string> ids = communicator.gather(communicator.host_name() + ", GPU " + cuda::gpu_id());
  std::string text;
  std::map<std::string, size_t> rank_of;
  for (size_t rank = 0; rank < ids.size() && text.empty(); ++rank) {
    const auto [found, fresh] = rank_of.try_emplace(ids[rank], rank);
    if (!fresh) text = fmt::format("ranks {} and {} have the same GPU: {}", found->second, rank, ids[rank]);
  }
  text = communicator.broadcast_string(text);
  if (!text.empty() && (shared == nullptr || *shared != '1')) {
    throw Error(ExitStatus::kUsage, text)
        .hint("start one rank per GPU (--gpus-per-task, --gpu-bind, CUDA_VISIBLE_DEVICES), or --device cpu");
  }
}

}  // namespace

std::unique_ptr<AsyncSums> device_sums(Communicator& communicator, bool bfloat16) {
  require_own_gpus(communicator);
  return std::make_unique<NcclSums>(communicator, bfloat16);
}

std::unique_ptr<ShardedSums> device_shards(Communicator& communicator, const float* gradients, size_t count) {
  require_own_gpus(communicator);
  return std::make_unique<NcclShards>(communicator, gradients, count);
}

std::string nccl_version() {
  int version = 0;
  check(ncclGetVersion(&version), "ncclGetVersion");
  return fmt::format("NCCL {}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

}  // namespace wende
