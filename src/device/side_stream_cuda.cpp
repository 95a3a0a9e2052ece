#include "device/side_stream_cuda.h"

#include "device/cuda_check.cuh"

namespace wende::cuda {
namespace {

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  WENDE_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  return event;
}

/// The second stream and the two events between it and the main one; of the process, never destroyed.
struct Side {
  cudaStream_t stream = nullptr;
  cudaEvent_t begin = new_event();
  cudaEvent_t end = new_event();
  Side() { WENDE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); }
};

}  // namespace

void run_both(const std::function<void()>& work, const std::function<void()>& beside) {
  static const Side kSide;
  const cudaStream_t main = stream();
  WENDE_CUDA_CHECK(cudaEventRecord(kSide.begin, main));
  WENDE_CUDA_CHECK(cudaStreamWaitEvent(kSide.stream, kSide.begin, 0));
  {
    const StreamChoice choice(kSide.stream);
    beside();
  }
  work();
  WENDE_CUDA_CHECK(cudaEventRecord(kSide.end, kSide.stream));
  WENDE_CUDA_CHECK(cudaStreamWaitEvent(main, kSide.end, 0));
}

}  // namespace wende::cuda
