#include <fmt/core.h>
#include <nccl.h>

#include <cstdlib>
#include <map>
#include <thread>

#include "base/error.h"
#include "base/progress.h"
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

/// One communicator, its stream, and the events by which the two streams wait for each other.
struct NcclState {
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  bool aborted = false;

  ~NcclState() {
    if (comm != nullptr && !aborted) ncclCommDestroy(comm);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }

  /// The one place where errors of running collectives are seen.
  void poll() {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm, &state), "ncclCommGetAsyncError");
    if (state == ncclSuccess || state == ncclInProgress) return;
    aborted = true;
    ncclCommAbort(comm);
    check(state, "a sum of gradients");
  }
};

class NcclPendingSum final : public PendingSum {
 public:
  NcclPendingSum(std::shared_ptr<NcclState> state, float* values, size_t count) : state_(std::move(state)) {
    WENDE_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
    WENDE_CUDA_CHECK(cudaEventRecord(event_, cuda::stream()));
    WENDE_CUDA_CHECK(cudaStreamWaitEvent(state_->stream, event_, 0));
    check(ncclAllReduce(values, values, count, ncclFloat32, ncclSum, state_->comm, state_->stream), "ncclAllReduce");
    WENDE_CUDA_CHECK(cudaEventRecord(event_, state_->stream));
  }
  ~NcclPendingSum() override { cudaEventDestroy(event_); }

  /// Kernels that are launched afterwards see the sum.
  void wait() override {
    const PhaseScope phase(kAllReduce);
    while (!done()) std::this_thread::yield();
    WENDE_CUDA_CHECK(cudaStreamWaitEvent(cuda::stream(), event_, 0));
  }

  bool done() override {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
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

class NcclSums final : public AsyncSums {
 public:
  explicit NcclSums(Communicator& communicator) : state_(std::make_shared<NcclState>()) {
    ncclUniqueId id{};
    if (communicator.is_root()) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    communicator.broadcast(&id, sizeof(id));
    WENDE_CUDA_CHECK(cudaStreamCreateWithFlags(&state_->stream, cudaStreamNonBlocking));
    check(ncclCommInitRank(&state_->comm, communicator.size(), id, communicator.rank()), "ncclCommInitRank");
  }

  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    return std::make_unique<NcclPendingSum>(state_, values, count);
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

std::unique_ptr<AsyncSums> device_sums(Communicator& communicator) {
  require_own_gpus(communicator);
  return std::make_unique<NcclSums>(communicator);
}

std::string nccl_version() {
  int version = 0;
  check(ncclGetVersion(&version), "ncclGetVersion");
  return fmt::format("NCCL {}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

}  // namespace wende
