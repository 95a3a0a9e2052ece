#include <cstring>

#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "device/philox.h"
#include "optim/gradient_kernels.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// What a block of threads works on.
struct Piece {
  int64_t begin;
  int64_t end;
  int64_t member;
};

__device__ Piece piece_of_block(const int64_t* pieces) {
  const int64_t* own = pieces + 3 * int64_t{blockIdx.x};
  return {own[0], own[0] + own[1], own[2]};
}

/// Normal, drawn again where it is beyond two deviations.
__device__ float truncated_normal(const Philox& random, uint64_t element) {
  float noise = random.normal(element);
  for (uint64_t round = 1; fabsf(noise) > 2.0f && round < 64; ++round) noise = random.normal(element + (round << 40));
  return noise;
}

struct FlatPointers {
  float* values;
  const float* gradients;
  float* sums;
  float* results;
};

/// The noise of a member counts from its first weight.
__global__ void __launch_bounds__(kThreads)
    prepare_kernel(const int64_t* pieces, const int64_t* firsts, const GradientSettings* all, GradientStep step,
                   FlatPointers flat) {
  const Piece piece = piece_of_block(pieces);
  const GradientSettings own = all[piece.member];
  const int64_t origin = pieces[3 * firsts[piece.member]];
  const Philox random = Philox::keyed(step.seed, step.step, own.param);
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += blockDim.x) {
    float g = flat.gradients[i];
    if (own.accumulates != 0) {
      if (own.accumulates == kAddsToSum) g = flat.sums[i] + g;
      flat.sums[i] = g;
    }
    if (own.noise > 0.0f) g += own.noise * truncated_normal(random, static_cast<uint64_t>(i - origin));
    // A nan fails both comparisons and stays.
    if (own.clip > 0.0f && g > own.clip) g = own.clip;
    if (own.clip > 0.0f && g < -own.clip) g = -own.clip;
    flat.results[i] = g;
    if (own.keep != 1.0f) flat.values[i] *= own.keep;
  }
}

__global__ void __launch_bounds__(kThreads)
    scale_kernel(const int64_t* pieces, const GradientScale* all, float* gradients) {
  const Piece piece = piece_of_block(pieces);
  const GradientScale own = all[piece.member];
  if (own.factor == 1.0f && own.filters == 0 && own.clears == 0) return;
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += blockDim.x) {
    float g = own.factor * gradients[i];
    if (own.filters != 0 && g - g != 0.0f) g = 0.0f;
    gradients[i] = own.clears != 0 ? 0.0f : g;
  }
}

__global__ void __launch_bounds__(kThreads)
    squares_kernel(const int64_t* pieces, const float* gradients, double* partial) {
  const Piece piece = piece_of_block(pieces);
  double sum = 0;
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += blockDim.x) {
    sum += static_cast<double>(gradients[i]) * static_cast<double>(gradients[i]);
  }
  sum = block_reduce(sum, 0.0, Sum());
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// A block per member.
__global__ void __launch_bounds__(kThreads) totals_kernel(const int64_t* firsts, const double* partial, double* total) {
  double sum = 0;
  for (int64_t i = firsts[blockIdx.x] + threadIdx.x; i < firsts[blockIdx.x + 1]; i += blockDim.x) sum += partial[i];
  sum = block_reduce(sum, 0.0, Sum());
  if (threadIdx.x == 0) total[blockIdx.x] = sum;
}

/// Plain structs in device memory, as words.
template <class T>
Tensor uploaded(const std::vector<T>& values, Device device) {
  static_assert(sizeof(T) % sizeof(int32_t) == 0 && alignof(T) == alignof(int32_t));
  const Tensor words = Tensor::empty(DType::kInt32, Shape{static_cast<int64_t>(values.size() * sizeof(T) / 4)});
  std::memcpy(words.raw(), values.data(), values.size() * sizeof(T));
  return on(device, words);
}

unsigned count_of(const GradientPieces& pieces) { return static_cast<unsigned>(pieces.pieces.dim(0)); }

}  // namespace

void prepare_gradients(const GradientPieces& pieces, const std::vector<GradientSettings>& settings,
                       const GradientStep& step, const FlatGradients& flat) {
  const Tensor all = uploaded(settings, flat.values.device());
  const FlatPointers pointers{device_data<float>(flat.values), device_data<float>(flat.gradients),
                              device_data_or_null<float>(flat.sums), device_data<float>(flat.results)};
  launch(prepare_kernel, count_of(pieces), kThreads, 0, device_data<int64_t>(pieces.pieces),
         device_data<int64_t>(pieces.firsts), reinterpret_cast<const GradientSettings*>(all.raw()), step, pointers);
}

void scale_gradients(const GradientPieces& pieces, const std::vector<GradientScale>& scales, const Tensor& gradients) {
  const Tensor all = uploaded(scales, gradients.device());
  launch(scale_kernel, count_of(pieces), kThreads, 0, device_data<int64_t>(pieces.pieces),
         reinterpret_cast<const GradientScale*>(all.raw()), device_data<float>(gradients));
}

std::vector<double> squares_of_members(const GradientPieces& pieces, const Tensor& gradients) {
  const int64_t members = pieces.firsts.elements() - 1;
  if (members == 0) return {};
  const Tensor partial = Tensor::empty(DType::kFloat64, Shape{pieces.pieces.dim(0)}, gradients.device());
  const Tensor total = Tensor::empty(DType::kFloat64, Shape{members}, gradients.device());
  launch(squares_kernel, count_of(pieces), kThreads, 0, device_data<int64_t>(pieces.pieces),
         device_data<float>(gradients), device_data<double>(partial));
  launch(totals_kernel, static_cast<unsigned>(members), kThreads, 0, device_data<int64_t>(pieces.firsts),
         device_data<double>(partial), device_data<double>(total));
  return on_host(total).to_vector<double>();
}

}  // namespace wende::cuda
