#include <algorithm>
#include <list>
#include <vector>

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

/// Rows of n units. Row -1 is zero.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_rows_kernel(const T* __restrict__ x, const int64_t* rows, int64_t count, int64_t n, T* __restrict__ out) {
  for (const int64_t row : row_range(count)) {
    const int64_t from = rows[row] * n;
    for (const int64_t i : along_row(n)) out[row * n + i] = from < 0 ? T{} : x[from + i];
  }
}

/// What follows a product, where the library does not do it. bias [n] may be null.
struct Finish {
  const float* bias;
  int64_t n;
  bool relu;

  template <int kWidth>
  __device__ Floats<kWidth> operator()(int64_t column, Floats<kWidth> x) const {
    for (int w = 0; w < kWidth; ++w) {
      if (bias != nullptr) x.at[w] += bias[column + w];
      if (relu) x.at[w] = functors::Relu::value(x.at[w]);
    }
    return x;
  }
};

/// places[row]: where the row lies in `compact`; -1: padding, which becomes zero. Without places: where it is.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    finish_kernel(const float* compact, const int64_t* places, Finish finish, int64_t rows, float* out) {
  using Unit = Floats<kWidth>;
  for (const int64_t row : row_range(rows)) {
    const int64_t from = places == nullptr ? row : places[row];
    const auto* const in = reinterpret_cast<const Unit*>(compact + from * finish.n);
    auto* const to = reinterpret_cast<Unit*>(out + row * finish.n);
    for (const int64_t i : along_row(finish.n / kWidth)) to[i] = from < 0 ? Unit{} : finish(i * kWidth, in[i]);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    clear_padding_kernel(const int64_t* places, int64_t n, int64_t rows, T* out) {
  for (const int64_t row : row_range(rows)) {
    if (places[row] >= 0) continue;
    for (const int64_t i : along_row(n)) out[row * n + i] = T{};
  }
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
    for (int64_t i = begin + lane; i < end; i += kPack * kLanes) {
      float some[kPack] = {};  // read before they are added
      for (int k = 0; k < kPack; ++k) {
        const int64_t own = i + k * kLanes;
        const int64_t row = own >= end ? -1 : rows == nullptr ? own : rows[own];
        if (row >= 0) some[k] = x[row * n + place];
      }
      for (int k = 0; k < kPack; ++k) sum += some[k];
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

Tensor gathered(const Tensor& x, const Tensor& rows, const cpu::Scratch& scratch) {
  const Tensor out = scratch(Shape{rows.elements(), x.dim(-1)});
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(rows.elements(), n);
    launch(gather_rows_kernel<T>, grid.blocks, grid.threads, 0, reinterpret_cast<const T*>(x.raw()),
           device_data<int64_t>(rows), rows.elements(), n, reinterpret_cast<T*>(out.raw()));
  };
  with_units(x.dim(-1) * 4, start, x.raw(), out.raw());
  return out;
}

void finish_rows(const float* compact, const int64_t* places, const Finish& given, int64_t rows, float* out) {
  const auto start = [&](auto width) {
    const RowGrid grid = row_grid(rows, given.n / width());
    launch(finish_kernel<width()>, grid.blocks, grid.threads, 0, compact, places, given, rows, out);
  };
  with_floats(given.n, start, compact, static_cast<const float*>(out));
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
  finish_rows(product.c, nullptr, finish, product.m, product.c);
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
    const auto clear_padding = [&](auto unit, int64_t units) {
      const RowGrid grid = row_grid(all, units);
      launch(clear_padding_kernel<decltype(unit)>, grid.blocks, grid.threads, 0, device_data<int64_t>(given.places),
             units, all, reinterpret_cast<decltype(unit)*>(out.raw()));
    };
    return with_units(n * 4, clear_padding, out.raw());
  }
  const Tensor from = gathered(x, given.list, scratch);
  const Tensor to = scratch(Shape{given.list.elements(), n});
  product.m = to.dim(0);
  product.a = device_data<float>(from);
  product.c = device_data<float>(to);
  multiply(product);
  finish_rows(device_data<float>(to), device_data<int64_t>(given.places), finish, all, device_data<float>(out));
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
