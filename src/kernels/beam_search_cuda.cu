#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/beam_search.h"
#include "kernels/ordered_key_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct Choices {
  const float* scores;
  int64_t size;
  int32_t* labels;
  int32_t* rows;
  bool* valid;

  /// All threads of the block find the largest key, then the largest below that, and so on.
  __device__ void choose(int64_t from, int64_t to, int64_t place, int64_t count) const {
    const float* values = scores + from * size;
    const int64_t n = (to - from) * size;
    Key last = ~Key{0};
    for (int64_t k = 0; k < count; ++k) {
      Key best = 0;
      for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
        const float value = values[i];
        const Key key = key_of(value == value ? value : -INFINITY, i);
        if (key < last && key > best) best = key;
      }
      last = block_reduce(best, Key{0}, Largest());
      if (threadIdx.x != 0) continue;
      const int64_t candidate = k < n ? index_of(last) : 0;
      labels[place + k] = static_cast<int32_t>(candidate % size);
      rows[place + k] = static_cast<int32_t>(from + candidate / size);
      valid[place + k] = k < n;
    }
  }
};

/// A block per beam.
__global__ void __launch_bounds__(kThreads)
    beam_kernel(Choices choices, const int32_t* step, int64_t from, int64_t to, bool keep_beams) {
  const int64_t begin = int64_t{blockIdx.x} * from;
  const int64_t place = int64_t{blockIdx.x} * to;
  const bool first = *step == 0;
  if (keep_beams && !first) {
    const int64_t each = to / from;
    for (int64_t k = 0; k < from; ++k) choices.choose(begin + k, begin + k + 1, place + k * each, each);
  } else {
    choices.choose(begin, first ? begin + 1 : begin + from, place, to);
  }
}

/// A thread per beam's end goes back through the frames.
__global__ void __launch_bounds__(kThreads) trace_kernel(const int32_t* rows, const int32_t* steps, int64_t times,
                                                         int64_t batch, int32_t* chosen, int32_t* before) {
  for (const int64_t b : grid_range(batch)) {
    int64_t row = b;
    for (int64_t t = times - 1; t >= 0; --t) {
      chosen[t * batch + b] = static_cast<int32_t>(t * batch + row);
      if (t < *steps) row = rows[t * batch + row];
      before[t * batch + b] = static_cast<int32_t>(t * batch + row);
    }
  }
}

}  // namespace

void beam_step(const Tensor& scores, const Tensor& step, int64_t from, int64_t to, bool keep_beams,
               const Tensor& labels, const Tensor& rows, const Tensor& valid) {
  const Choices choices{device_data<float>(scores), scores.dim(1), device_data<int32_t>(labels),
                        device_data<int32_t>(rows), device_data<bool>(valid)};
  launch(beam_kernel, static_cast<unsigned>(scores.dim(0) / from), threads_for_row(from * scores.dim(1)), 0, choices,
         device_data<int32_t>(step), from, to, keep_beams);
}

void beam_trace(const Tensor& rows, const Tensor& steps, const Tensor& chosen, const Tensor& before) {
  launch(trace_kernel, blocks_for(rows.dim(1)), kThreads, 0, device_data<int32_t>(rows), device_data<int32_t>(steps),
         rows.dim(0), rows.dim(1), device_data<int32_t>(chosen), device_data<int32_t>(before));
}

}  // namespace wende::cuda
