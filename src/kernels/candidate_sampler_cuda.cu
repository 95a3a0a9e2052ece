#include "base/error.h"
#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/kernel_fault.cuh"
#include "kernels/candidate_sampler.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Exclusive sum over the threads before this one; `total` gets that over all. T: 4 or 8 bytes.
template <class T>
__device__ T sum_before(T value, T& total) {
  __shared__ T warps[32];
  T sum = value;
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const T other = __shfl_up_sync(0xffffffffu, sum, distance);
    if (threadIdx.x % 32 >= distance) sum += other;
  }
  __syncthreads();  // an earlier call may still read `warps`
  if (threadIdx.x % 32 == 31) warps[threadIdx.x / 32] = sum;
  __syncthreads();
  T before = 0;
  total = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) {
    if (warp < threadIdx.x / 32) before += warps[warp];
    total += warps[warp];
  }
  return before + sum - value;
}

/// One block: in each round, every thread draws one class. A draw counts if the class was not there before: neither in
/// an earlier round (its bit in `seen`) nor at a thread before this one.
__global__ void __launch_bounds__(kThreads)
    draw_kernel(CandidateDistribution distribution, Philox start, const int64_t* step, int32_t wanted, unsigned* seen,
                int32_t* sampled, int64_t* tries) {
  __shared__ int64_t drawn[kThreads];
  const Philox random = step == nullptr ? start : start.at_step(static_cast<uint64_t>(*step), 0);
  int32_t found = 0;
  for (int64_t round = 0; found < wanted; ++round) {
    const int64_t number = round * blockDim.x + threadIdx.x;
    const int64_t c = distribution.draw(random.uniform(static_cast<uint64_t>(number)));
    bool fresh = (seen[c / 32] >> (c % 32) & 1u) == 0;
    drawn[threadIdx.x] = c;
    __syncthreads();
    for (unsigned i = 0; i < threadIdx.x && fresh; ++i) fresh = drawn[i] != c;
    int32_t all = 0;
    const int32_t place = found + sum_before(fresh ? 1 : 0, all);
    if (fresh && place < wanted) {
      sampled[place] = static_cast<int32_t>(c);
      atomicOr(seen + c / 32, 1u << (c % 32));
      if (place == wanted - 1) *tries = number + 1;
    }
    found += all;
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kThreads)
    expected_kernel(CandidateDistribution distribution, const int32_t* classes, int64_t n, const int64_t* tries,
                    int64_t wanted, float* out, KernelFault* fault) {
  for (const int64_t i : grid_range(n)) {
    const int64_t c = checked_index(fault, FaultKind::kLabel, classes[i], distribution.classes);
    out[i] = distribution.expected(c, *tries, wanted);
  }
}

__global__ void __launch_bounds__(kThreads)
    count_kernel(const int32_t* labels, int64_t n, int64_t classes, int32_t* counts) {
  for (const int64_t i : grid_range(n)) {
    if (labels[i] >= 0 && labels[i] < classes) atomicAdd(counts + labels[i], 1);
  }
}

/// One block: each thread has a stretch of classes. Sums of counts are whole numbers: exact in any order.
__global__ void __launch_bounds__(kThreads) learn_kernel(const int32_t* counts, int64_t classes, double* cumulative) {
  const int64_t each = (classes + blockDim.x - 1) / blockDim.x;
  const int64_t begin = each * threadIdx.x;
  const int64_t end = begin + each < classes ? begin + each : classes;
  double own = 0;
  for (int64_t c = begin; c < end; ++c) own += counts[c];
  double all = 0;
  double sum = sum_before(own, all);
  for (int64_t c = begin; c < end; ++c) {
    sum += counts[c];
    cumulative[c] += sum;
  }
}

}  // namespace

void draw_candidates(const cpu::CandidateSampler& sampler, const Philox& random, const int64_t* step,
                     const Tensor& labels, const cpu::DrawnCandidates& out) {
  const Device device = out.sampled.device();
  const CandidateDistribution distribution = sampler.on(device);
  const int64_t wanted = out.sampled.elements();
  if (wanted > distribution.classes) throw internal_error("more candidates than classes");
  const Tensor seen = Tensor::empty(DType::kInt32, Shape{(distribution.classes + 31) / 32}, device);
  const Tensor tries = Tensor::empty(DType::kInt64, Shape{1}, device);
  clear(seen);
  const int64_t* tried = device_data<int64_t>(tries);
  launch(draw_kernel, 1, kThreads, 0, distribution, random, step, static_cast<int32_t>(wanted),
         reinterpret_cast<unsigned*>(device_data<int32_t>(seen)), device_data<int32_t>(out.sampled),
         device_data<int64_t>(tries));
  launch(expected_kernel, blocks_for(wanted), kThreads, 0, distribution, device_data<int32_t>(out.sampled), wanted,
         tried, wanted, device_data<float>(out.expected_sampled), fault_slot());
  const int64_t count = labels.elements();
  launch(expected_kernel, blocks_for(count), kThreads, 0, distribution, device_data<int32_t>(labels), count, tried,
         wanted, device_data<float>(out.expected_true), fault_slot());
  if (distribution.kind != CandidateDistribution::Kind::kLearnedUnigram) return;
  const Tensor counts = Tensor::empty(DType::kInt32, Shape{distribution.classes}, device);
  clear(counts);
  launch(count_kernel, blocks_for(count), kThreads, 0, device_data<int32_t>(labels), count, distribution.classes,
         device_data<int32_t>(counts));
  launch(learn_kernel, 1, kThreads, 0, device_data<int32_t>(counts), distribution.classes, distribution.cumulative);
}

}  // namespace wende::cuda
