#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "kernels/reduce.h"
#include "kernels/reduce_layout.h"
#include "kernels/vector_math.h"
#include "tensor/placement.h"
#include "tensor/with_type.h"

namespace wende::cuda {
namespace {

/// A reduction: what one element gives, how two partial results make one, what the result is.
template <class T, bool kIsMean>
struct SumOf {
  // Long sums of floats are kept in double, as on the CPU.
  using Partial = std::conditional_t<std::is_same_v<T, float>, double, T>;
  __device__ static Partial start() { return 0; }
  __device__ static Partial of(T x) { return x; }
  __device__ static Partial combine(Partial a, Partial b) { return a + b; }
  __device__ static T result(Partial a, int64_t count) {
    return kIsMean ? static_cast<T>(a / static_cast<Partial>(count)) : static_cast<T>(a);
  }
};
template <class T>
struct ProductOf {
  using Partial = T;
  __device__ static T start() { return 1; }
  __device__ static T of(T x) { return x; }
  __device__ static T combine(T a, T b) { return a * b; }
  __device__ static T result(T a, int64_t) { return a; }
};
template <class T, bool kLargest>
struct ExtremumOf {
  using Partial = T;
  __device__ static T start() {
    if constexpr (std::is_floating_point_v<T>) {
      return kLargest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    } else {
      return kLargest ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
    }
  }
  __device__ static T of(T x) { return x; }
  __device__ static T combine(T a, T b) {
    const bool keeps = kLargest ? a >= b : a <= b;
    return (keeps || a != a) ? a : b;
  }
  __device__ static T result(T a, int64_t) { return a; }
};
template <bool kAny>
struct LogicOf {
  using Partial = bool;
  __device__ static bool start() { return !kAny; }
  __device__ static bool of(bool x) { return x; }
  __device__ static bool combine(bool a, bool b) { return kAny ? a | b : a & b; }
  __device__ static bool result(bool a, int64_t) { return a; }
};
/// exp(x) summed as (largest, sum of exp(x - largest)).
template <class T>
struct LogSumExpOf {
  struct Partial {
    T most;
    T sum;
  };
  __device__ static Partial start() { return {-std::numeric_limits<T>::infinity(), 0}; }
  __device__ static Partial of(T x) { return {x, 1}; }
  __device__ static Partial combine(Partial a, Partial b) {
    if (b.most != b.most || a.most < b.most) {
      const Partial c = a;
      a = b;
      b = c;
    }
    // Infinities (all -inf, or one +inf) stay instead of becoming NaN.
    if (a.most - a.most != T(0)) return a;
    return {a.most, a.sum + b.sum * vm::exp(b.most - a.most)};
  }
  __device__ static T result(Partial a, int64_t) { return a.most - a.most == T(0) ? a.most + vm::log(a.sum) : a.most; }
};

/// What a kernel reduces: elements, or what other blocks made of them.
template <class R, class T>
struct Elements {
  const T* x;
  __device__ typename R::Partial operator()(int64_t i) const { return R::of(x[i]); }
};
template <class R>
struct Partials {
  const typename R::Partial* x;
  __device__ typename R::Partial operator()(int64_t i) const { return x[i]; }
};

/// Where results go: those of whole reductions over `count` elements, or by chunk [chunks, places].
template <class R, class T>
struct Results {
  int64_t count;
  int64_t places;
  T* out;
  typename R::Partial* partials;  ///< nullptr: whole reductions
  __device__ void put(int64_t place, int64_t chunk, const typename R::Partial& value) const {
    if (partials != nullptr) {
      partials[chunk * places + place] = value;
    } else {
      out[place] = R::result(value, count);
    }
  }
};

/// Numbers that a thread reads before it looks at the first of them.
constexpr int kBatch = 4;

/// Blocks of [kColumns, kLanes] threads: kColumns neighbouring results, each by kLanes threads in a fixed tree.
/// blockIdx.y: the chunk of `chunk` elements.
template <class R, class T, unsigned kColumns, class Source>
__global__ void __launch_bounds__(kThreads)
    reduce_kernel(ReduceLayout at, int64_t chunk, Source source, Results<R, T> results) {
  using Partial = typename R::Partial;
  constexpr unsigned kLanes = kThreads / kColumns;
  __shared__ Partial partial[kLanes][kColumns];
  const unsigned lane = threadIdx.x / kColumns;
  const unsigned column = threadIdx.x % kColumns;
  const int64_t place = int64_t{blockIdx.x} * kColumns + column;
  const bool inside = place < at.outer * at.inner;
  const int64_t base = inside ? place / at.inner * at.count * at.inner + place % at.inner : 0;
  const int64_t begin = int64_t{blockIdx.y} * chunk;
  const int64_t end = begin + chunk < at.count ? begin + chunk : at.count;
  Partial sum = R::start();
  for (int64_t i = begin + lane; inside && i < end; i += kBatch * kLanes) {
    Partial some[kBatch];
    for (int k = 0; k < kBatch; ++k) {
      const int64_t own = i + k * kLanes;
      some[k] = own < end ? source(base + own * at.inner) : R::start();
    }
    for (int k = 0; k < kBatch; ++k) sum = R::combine(sum, some[k]);
  }
  partial[lane][column] = sum;
  __syncthreads();
  for (unsigned half = kLanes / 2; half > 0; half /= 2) {
    if (lane < half) partial[lane][column] = R::combine(partial[lane][column], partial[lane + half][column]);
    __syncthreads();
  }
  if (inside && lane == 0) results.put(place, blockIdx.y, partial[0][column]);
}

/// A warp per line of neighbouring numbers.
template <class R, class T>
__global__ void __launch_bounds__(kThreads) reduce_lines_kernel(int64_t lines, int64_t count, const T* x, T* out) {
  using Partial = typename R::Partial;
  __shared__ Partial partial[kThreads / 32][32];
  const unsigned lane = threadIdx.x % 32;
  Partial* const own = partial[threadIdx.x / 32];
  const int64_t line = int64_t{blockIdx.x} * (kThreads / 32) + threadIdx.x / 32;
  if (line >= lines) return;
  Partial sum = R::start();
  for (int64_t i = lane; i < count; i += kBatch * 32) {
    Partial some[kBatch];
    for (int k = 0; k < kBatch; ++k) some[k] = i + k * 32 < count ? R::of(x[line * count + i + k * 32]) : R::start();
    for (int k = 0; k < kBatch; ++k) sum = R::combine(sum, some[k]);
  }
  own[lane] = sum;
  __syncwarp();
  for (unsigned half = 16; half > 0; half /= 2) {
    if (lane < half) own[lane] = R::combine(own[lane], own[lane + half]);
    __syncwarp();
  }
  if (lane == 0) out[line] = R::result(own[0], count);
}

/// The first pass when few results are made of many elements: so many blocks keep a GPU's memory busy.
constexpr int64_t kBlocksWanted = 1024;

/// The size of chunks that reductions are divided into; the whole where that gains nothing. By sizes alone, so that all
/// GPUs add in the same order.
int64_t chunk_of(const ReduceLayout& at, int64_t columns) {
  const int64_t fewest = std::max<int64_t>(64 * kThreads / columns, 256);  // elements for a block's lanes
  const int64_t blocks = (at.outer * at.inner + columns - 1) / columns;
  const int64_t chunks = std::min({kBlocksWanted / blocks, at.count / fewest, int64_t{65535}});
  return chunks <= 1 ? std::max<int64_t>(at.count, 1) : (at.count + chunks - 1) / chunks;
}

template <class R, class T, unsigned kColumns>
void start(const ReduceLayout& at, const Tensor& x, const Tensor& out) {
  using Partial = typename R::Partial;
  const int64_t places = at.outer * at.inner;
  const auto blocks = static_cast<unsigned>((places + kColumns - 1) / kColumns);
  const int64_t chunk = chunk_of(at, kColumns);
  const int64_t chunks = at.count <= chunk ? 1 : (at.count + chunk - 1) / chunk;
  Tensor memory;
  Results<R, T> results{at.count, places, device_data<T>(out), nullptr};
  if (chunks > 1) {
    const size_t bytes = static_cast<size_t>(chunks * places) * sizeof(Partial);
    memory = Tensor::empty(DType::kFloat64, Shape{static_cast<int64_t>((bytes + 7) / 8)}, out.device());
    results.partials = reinterpret_cast<Partial*>(memory.raw());
  }
  launch(reduce_kernel<R, T, kColumns, Elements<R, T>>, dim3(blocks, static_cast<unsigned>(chunks)), kThreads, 0, at,
         chunk, Elements<R, T>{device_data<T>(x)}, results);
  if (chunks == 1) return;
  const Partials<R> partials{results.partials};
  results.partials = nullptr;
  ReduceLayout rest = at;
  rest.outer = 1;
  rest.inner = places;
  rest.count = chunks;
  if (places >= 32) {
    launch(reduce_kernel<R, T, 32, Partials<R>>, static_cast<unsigned>((places + 31) / 32), kThreads, 0, rest, chunks,
           partials, results);
  } else {
    launch(reduce_kernel<R, T, 1, Partials<R>>, static_cast<unsigned>(places), kThreads, 0, rest, chunks, partials,
           results);
  }
}

/// Lines in memory want neighbouring threads along the line; columns, and short lines, along the results.
template <class R, class T>
void reduce_with(const ReduceLayout& at, const Tensor& x, const Tensor& out) {
  constexpr int64_t kWarpsWanted = 512;
  const bool by_warps = at.count <= 2048 || (at.outer >= kWarpsWanted && at.count <= 8192);
  if (at.inner == 1 && at.count > 16 && by_warps) {
    constexpr int64_t kLines = kThreads / 32;
    launch(reduce_lines_kernel<R, T>, static_cast<unsigned>((at.outer + kLines - 1) / kLines), kThreads, 0, at.outer,
           at.count, device_data<T>(x), device_data<T>(out));
  } else if (at.inner == 1 && at.count > 16) {
    start<R, T, 1>(at, x, out);
  } else if (at.count > 16) {
    start<R, T, 32>(at, x, out);
  } else {
    start<R, T, kThreads>(at, x, out);
  }
}

template <class T>
void reduce_numbers(Reduction kind, const ReduceLayout& at, const Tensor& x, const Tensor& out) {
  switch (kind) {
    case Reduction::kSum:
      return reduce_with<SumOf<T, false>, T>(at, x, out);
    case Reduction::kMean:
      return reduce_with<SumOf<T, true>, T>(at, x, out);
    case Reduction::kMax:
      return reduce_with<ExtremumOf<T, true>, T>(at, x, out);
    case Reduction::kMin:
      return reduce_with<ExtremumOf<T, false>, T>(at, x, out);
    case Reduction::kProd:
      return reduce_with<ProductOf<T>, T>(at, x, out);
    case Reduction::kLogSumExp:
      if constexpr (std::is_floating_point_v<T>) return reduce_with<LogSumExpOf<T>, T>(at, x, out);
      break;
    default:
      break;
  }
  throw internal_error("this reduction does not take this dtype");
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    arg_extremum_kernel(bool largest, ReduceLayout at, const T* x, int32_t* out) {
  const int64_t place = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (place >= at.outer * at.inner) return;
  const int64_t base = place / at.inner * at.count * at.inner + place % at.inner;
  int64_t best = 0;
  T best_value = at.count > 0 ? x[base] : T(0);
  for (int64_t i = 1; i < at.count; ++i) {
    const T value = x[base + i * at.inner];
    const bool better = largest ? value > best_value : value < best_value;
    best = better ? i : best;
    best_value = better ? value : best_value;
  }
  out[place] = static_cast<int32_t>(best);
}

/// The better of values of a row, with its place (-1: none yet); the first of equal ones. A NaN counts at place 0 only,
/// where it stays, as on the CPU.
template <class T>
struct Best {
  T value;
  int32_t index;

  __device__ bool beats(const Best& other, bool largest) const {
    if (index < 0 || other.index < 0) return other.index < 0;
    if (value != value || other.value != other.value) return value != value;
    if (value == other.value) return index < other.index;
    return largest ? value > other.value : value < other.value;
  }
};

template <class T>
__device__ Best<T> warp_best(Best<T> best, bool largest) {
  for (int distance = 16; distance > 0; distance >>= 1) {
    const Best<T> other{__shfl_xor_sync(0xffffffffu, best.value, distance),
                        __shfl_xor_sync(0xffffffffu, best.index, distance)};
    if (other.beats(best, largest)) best = other;
  }
  return best;
}

/// A block per row of neighbouring numbers.
template <class T>
__global__ void __launch_bounds__(kThreads) arg_extremum_row_kernel(bool largest, int64_t n, const T* x, int32_t* out) {
  __shared__ T values[kThreads / 32];
  __shared__ int32_t indices[kThreads / 32];
  const T* row = x + int64_t{blockIdx.x} * n;
  Best<T> best{T(0), -1};
  for (int64_t first = threadIdx.x; first < n; first += kBatch * int64_t{blockDim.x}) {
    T some[kBatch];
    const int64_t last = n - 1;
    const auto place = [&](int k) { return first + k * int64_t{blockDim.x}; };
    for (int k = 0; k < kBatch; ++k) some[k] = row[place(k) < last ? place(k) : last];
    for (int k = 0; k < kBatch && place(k) < n; ++k) {
      const Best<T> candidate{some[k], static_cast<int32_t>(place(k))};
      const bool counts = candidate.value == candidate.value || place(k) == 0;
      if (counts && candidate.beats(best, largest)) best = candidate;
    }
  }
  best = warp_best(best, largest);
  if (threadIdx.x % 32 == 0) {
    values[threadIdx.x / 32] = best.value;
    indices[threadIdx.x / 32] = best.index;
  }
  __syncthreads();
  if (threadIdx.x >= 32) return;
  const bool has = threadIdx.x < blockDim.x / 32;
  best = warp_best(Best<T>{has ? values[threadIdx.x] : T(0), has ? indices[threadIdx.x] : -1}, largest);
  if (threadIdx.x == 0) out[blockIdx.x] = best.index < 0 ? 0 : best.index;
}

}  // namespace

void reduce(Reduction kind, const Tensor& x_given, const std::vector<int>& axes, const Tensor& out) {
  if (out.elements() == 0) return;
  Tensor x = x_given;
  const ReduceLayout at = reduce_layout(x, axes);
  if (kind == Reduction::kAny) return reduce_with<LogicOf<true>, bool>(at, x, out);
  if (kind == Reduction::kAll) return reduce_with<LogicOf<false>, bool>(at, x, out);
  switch (x.dtype()) {
    case DType::kFloat32:
      return reduce_numbers<float>(kind, at, x, out);
    case DType::kFloat64:
      return reduce_numbers<double>(kind, at, x, out);
    case DType::kInt32:
      return reduce_numbers<int32_t>(kind, at, x, out);
    case DType::kInt64:
      return reduce_numbers<int64_t>(kind, at, x, out);
    case DType::kBool:
    case DType::kComplex64:
      break;
  }
  throw internal_error("this reduction does not take bool or complex64");
}

void arg_extremum(bool largest, const Tensor& x, int axis, const Tensor& out) {
  const ReduceLayout at = reduce_layout(x, axis);
  if (x.dtype() == DType::kBool) throw internal_error("argmax does not take bool");
  const auto blocks = static_cast<unsigned>((at.outer * at.inner + kThreads - 1) / kThreads);
  with_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) {
      if (at.inner == 1 && at.count > 8) {
        return launch(arg_extremum_row_kernel<T>, static_cast<unsigned>(at.outer), threads_for_row(at.count), 0,
                      largest, at.count, device_data<T>(x), device_data<int32_t>(out));
      }
    }
    launch(arg_extremum_kernel<T>, blocks, kThreads, 0, largest, at, device_data<T>(x), device_data<int32_t>(out));
  });
}

}  // namespace wende::cuda
