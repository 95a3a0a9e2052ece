#include <algorithm>
#include <list>
#include <vector>

#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "device/product_precision.h"
#include "kernels/gemm_cuda.h"
#include "kernels/matmul.h"
#include "kernels/pointwise_functors.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Each block takes whole rows of n elements: T is float or a pack. Row -1 is zero.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_rows_kernel(const T* x, const int64_t* rows, int64_t count, int64_t n, T* out) {
  for (int64_t row = blockIdx.x; row < count; row += gridDim.x) {
    const int64_t from = rows[row] * n;
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) out[row * n + i] = from < 0 ? T{} : x[from + i];
  }
}

/// What follows a product, where the library does not do it. bias [n] may be null.
struct Finish {
  const float* bias;
  int64_t n;
  bool relu;

  __device__ float operator()(int64_t column, float x) const {
    const float sum = bias == nullptr ? x : x + bias[column];
    return relu ? functors::Relu::value(sum) : sum;
  }
};

/// places[row]: where the row lies in `compact`; -1: padding, which becomes zero.
__global__ void __launch_bounds__(kThreads)
    spread_rows_kernel(const float* compact, const int64_t* places, Finish finish, int64_t rows, float* out) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t from = places[row] * finish.n;
    for (int64_t i = threadIdx.x; i < finish.n; i += blockDim.x) {
      out[row * finish.n + i] = from < 0 ? 0.0f : finish(i, compact[from + i]);
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    clear_padding_kernel(const int64_t* places, int64_t n, int64_t rows, float* out) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    for (int64_t i = threadIdx.x; i < n && places[row] < 0; i += blockDim.x) out[row * n + i] = 0.0f;
  }
}

__global__ void __launch_bounds__(kThreads) finish_kernel(Finish finish, int64_t elements, float* out) {
  for (const int64_t i : grid_range(elements)) out[i] = finish(i % finish.n, out[i]);
}

constexpr unsigned kColumns = 32;
constexpr unsigned kLanes = kThreads / kColumns;

/// Sums over the rows of one chunk (blockIdx.y), 32 columns a block; then over chunks, with rows null.
__global__ void __launch_bounds__(kThreads)
    column_sum_kernel(const float* x, const int64_t* rows, int64_t count, int64_t chunk, int64_t n, float* out) {
  __shared__ float partial[kLanes][kColumns];
  const unsigned lane = threadIdx.x / kColumns;
  const unsigned column = threadIdx.x % kColumns;
  const int64_t place = int64_t{blockIdx.x} * kColumns + column;
  const int64_t begin = int64_t{blockIdx.y} * chunk;
  const int64_t end = begin + chunk < count ? begin + chunk : count;
  float sum = 0.0f;
  if (place < n) {
    for (int64_t i = begin + lane; i < end; i += kLanes) {
      const int64_t row = rows == nullptr ? i : rows[i];
      if (row >= 0) sum += x[row * n + place];
    }
  }
  partial[lane][column] = sum;
  __syncthreads();
  for (unsigned half = kLanes / 2; half > 0; half /= 2) {
    if (lane < half) partial[lane][column] += partial[lane + half][column];
    __syncthreads();
  }
  if (lane == 0 && place < n) out[int64_t{blockIdx.y} * n + place] = partial[0][column];
}

/// Rows in device memory: as cpu::Rows has them.
struct DeviceRows {
  Tensor list;
  Tensor places;
};

/// Rows without a place of their own there: the lists that were used last stay.
DeviceRows uploaded(const cpu::Rows& rows, int64_t all, Device device) {
  struct Kept {
    std::vector<int64_t> rows;
    int64_t all;
    DeviceRows on_device;
  };
  constexpr size_t kMost = 4;
  static auto* const kept = new std::list<Kept>;
  const auto found =
      std::find_if(kept->begin(), kept->end(), [&](const Kept& e) { return e.all == all && e.rows == rows; });
  if (found != kept->end()) {
    kept->splice(kept->begin(), *kept, found);
    return kept->front().on_device;
  }
  std::vector<int64_t> places(static_cast<size_t>(all), -1);
  for (size_t i = 0; i < rows.size(); ++i) places[static_cast<size_t>(rows[i])] = static_cast<int64_t>(i);
  kept->push_front({rows,
                    all,
                    {on(device, Tensor::of<int64_t>(rows, Shape{static_cast<int64_t>(rows.size())})),
                     on(device, Tensor::of<int64_t>(places, Shape{all}))}});
  if (kept->size() > kMost) kept->pop_back();
  return kept->front().on_device;
}

DeviceRows on_device(const cpu::Rows& rows, int64_t all, Device device) {
  return rows.list.defined() ? DeviceRows{rows.list, rows.places} : uploaded(rows, all, device);
}

/// Whether leaving out padding saves more than moving the others together costs: a row of a product takes 2 k n
/// operations, and moving it to and fro 8 (k + n) bytes. By what an H100 does at best: 60, 400 or 800 10^12 operations
/// and 3 10^12 bytes in a second.
bool worth_gathering(int64_t count, int64_t all, int64_t k, int64_t n) {
  const double operations_per_byte = product_precision() == ProductPrecision::kFloat32 ? 20
                                     : product_precision() == ProductPrecision::kTf32  ? 130
                                                                                       : 260;
  const auto saved = static_cast<double>(all - count) * 2.0 * static_cast<double>(k) * static_cast<double>(n);
  const double moved = static_cast<double>(count) * 8.0 * static_cast<double>(k + n);
  return saved > moved * operations_per_byte;
}

int64_t rows_of(const Tensor& x) { return x.dim(-1) == 0 ? 0 : x.elements() / x.dim(-1); }

unsigned row_blocks(int64_t rows) { return static_cast<unsigned>(std::min<int64_t>(rows, 65536)); }

Tensor gathered(const Tensor& x, const Tensor& rows, const cpu::Scratch& scratch) {
  const Tensor out = scratch(Shape{rows.elements(), x.dim(-1)});
  const int64_t n = x.dim(-1);
  const auto* const list = device_data<int64_t>(rows);
  auto* const from = device_data<float>(x);
  auto* const to = device_data<float>(out);
  if (n % kPack == 0 && aligned_for_packs(from) && aligned_for_packs(to)) {
    launch(gather_rows_kernel<Pack<float>>, row_blocks(rows.elements()), threads_for_row(n / kPack), 0,
           reinterpret_cast<const Pack<float>*>(from), list, rows.elements(), n / kPack,
           reinterpret_cast<Pack<float>*>(to));
  } else {
    launch(gather_rows_kernel<float>, row_blocks(rows.elements()), threads_for_row(n), 0, from, list, rows.elements(),
           n, to);
  }
  return out;
}

/// The product and all that follows, in one call if the library has it.
void multiply_and_finish(Product product, const Finish& finish) {
  if (finish.bias != nullptr) {
    product.epilogue = finish.relu ? Epilogue::kBiasRelu : Epilogue::kBias;
    product.vector = const_cast<float*>(finish.bias);
  } else if (finish.relu) {
    product.epilogue = Epilogue::kRelu;
  }
  if (multiply(product)) return;
  product.epilogue = Epilogue::kNone;
  multiply(product);
  launch(finish_kernel, blocks_for(product.m * product.n), kThreads, 0, finish, product.m * product.n, product.c);
}

void linear_and(bool relu, const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w,
                const cpu::Rows* rows, const cpu::Scratch& scratch, const Tensor& out) {
  const int64_t k = x.dim(-1);
  const int64_t n = out.dim(-1);
  if (out.elements() == 0) return;
  const int64_t all = out.elements() / n;
  const Finish finish{device_data_or_null<float>(bias), n, relu};
  Product product{.transpose_b = transpose_w,
                  .m = all,
                  .n = n,
                  .k = k,
                  .a = device_data<float>(x),
                  .lda = k,
                  .b = device_data<float>(w),
                  .ldb = transpose_w ? k : n,
                  .c = device_data<float>(out),
                  .ldc = n};
  if (rows == nullptr) return multiply_and_finish(product, finish);
  const DeviceRows given = on_device(*rows, all, x.device());
  if (!worth_gathering(given.list.elements(), all, k, n)) {
    multiply_and_finish(product, finish);
    launch(clear_padding_kernel, row_blocks(all), threads_for_row(n), 0, device_data<int64_t>(given.places), n, all,
           product.c);
    return;
  }
  const Tensor from = gathered(x, given.list, scratch);
  const Tensor to = scratch(Shape{given.list.elements(), n});
  product.m = to.dim(0);
  product.a = device_data<float>(from);
  product.c = device_data<float>(to);
  multiply(product);
  launch(spread_rows_kernel, row_blocks(all), threads_for_row(n), 0, device_data<float>(to),
         device_data<int64_t>(given.places), finish, all, device_data<float>(out));
}

}  // namespace

void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const cpu::Rows* rows,
            const cpu::Scratch& scratch, const Tensor& out) {
  linear_and(false, x, w, bias, transpose_w, rows, scratch, out);
}

void linear_relu(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const cpu::Rows* rows,
                 const cpu::Scratch& scratch, const Tensor& out) {
  linear_and(true, x, w, bias, transpose_w, rows, scratch, out);
}

void linear_weight_grad(const Tensor& a, const Tensor& b, const cpu::Rows* rows, const cpu::Scratch& scratch,
                        const Tensor& out, const Tensor& sum_b) {
  Tensor from_a = a;
  Tensor from_b = b;
  int64_t count = rows_of(a);
  if (rows != nullptr) {
    const Tensor list = on_device(*rows, count, a.device()).list;
    from_a = gathered(a, list, scratch);
    from_b = gathered(b, list, scratch);
    count = list.elements();
  }
  const int64_t k = a.dim(-1);
  const int64_t n = b.dim(-1);
  Product product{.transpose_a = true,
                  .m = k,
                  .n = n,
                  .k = count,
                  .a = device_data<float>(from_a),
                  .lda = k,
                  .b = device_data<float>(from_b),
                  .ldb = n,
                  .c = device_data<float>(out),
                  .ldc = n};
  if (sum_b.defined() && k > 0) {
    product.epilogue = Epilogue::kSumB;
    product.vector = device_data<float>(sum_b);
    if (multiply(product)) return;
    product.epilogue = Epilogue::kNone;
  }
  multiply(product);
  if (sum_b.defined()) column_sum(from_b, nullptr, sum_b);
}

void column_sum(const Tensor& x, const cpu::Rows* rows, const Tensor& out) {
  const int64_t n = out.elements();
  if (n == 0) return;
  const Tensor list = rows != nullptr ? on_device(*rows, rows_of(x), x.device()).list : Tensor();
  const int64_t count = rows != nullptr ? list.elements() : rows_of(x);
  const int64_t* row_numbers = device_data_or_null<int64_t>(list);
  constexpr int64_t kMostChunks = 65535;  // blocks along the second axis of a grid
  const int64_t chunk = std::max<int64_t>(256, (count + kMostChunks - 1) / kMostChunks);
  const auto blocks = static_cast<unsigned>((n + kColumns - 1) / kColumns);
  const auto chunks = static_cast<unsigned>(count <= chunk ? 1 : (count + chunk - 1) / chunk);
  const float* from = device_data<float>(x);
  if (chunks == 1) {
    launch(column_sum_kernel, dim3(blocks), kThreads, 0, from, row_numbers, count, chunk, n, device_data<float>(out));
    return;
  }
  const Tensor partial = Tensor::empty(DType::kFloat32, Shape{chunks, n}, x.device());
  const int64_t* all_rows = nullptr;
  launch(column_sum_kernel, dim3(blocks, chunks), kThreads, 0, from, row_numbers, count, chunk, n,
         device_data<float>(partial));
  launch(column_sum_kernel, dim3(blocks), kThreads, 0, device_data<float>(partial), all_rows, int64_t{chunks},
         int64_t{chunks}, n, device_data<float>(out));
}

}  // namespace wende::cuda
