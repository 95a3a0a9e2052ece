#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/kernel_fault.cuh"
#include "device/pack.cuh"
#include "kernels/gather.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Rows of n units.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_kernel(const T* __restrict__ table, const int32_t* indices, int64_t rows, int64_t count, int64_t n,
                  T* __restrict__ out, KernelFault* fault) {
  for (const int64_t row : row_range(count)) {
    const int64_t from = checked_index(fault, FaultKind::kGather, indices[row], rows) * n;
    for (const int64_t i : along_row(n)) out[row * n + i] = table[from + i];
  }
}

/// One block per row of the table: finds the indices that name it, a block of them at a time, and adds their gradients
/// in order. Reading all indices for each row costs little beside the gradients, and needs no atomics.
__global__ void __launch_bounds__(kThreads)
    gather_grad_kernel(const int32_t* indices, int64_t count, int64_t inner, const float* dy, float* dtable) {
  __shared__ unsigned named[kThreads / 32];  // a bit for each index
  const int32_t row = static_cast<int32_t>(blockIdx.x);
  float* to = dtable + int64_t{row} * inner;
  for (int64_t k = threadIdx.x; k < inner; k += kThreads) to[k] = 0.0f;
  for (int64_t first = 0; first < count; first += kThreads) {
    const int64_t mine = first + threadIdx.x;
    const unsigned votes = __ballot_sync(0xffffffffu, mine < count && indices[mine] == row);
    if (threadIdx.x % 32 == 0) named[threadIdx.x / 32] = votes;
    if (__syncthreads_or(votes != 0)) {
      for (int word = 0; word < static_cast<int>(kThreads) / 32; ++word) {
        for (unsigned left = named[word]; left != 0; left &= left - 1) {
          const int64_t from = (first + word * 32 + __ffs(static_cast<int>(left)) - 1) * inner;
          for (int64_t k = threadIdx.x; k < inner; k += kThreads) to[k] += dy[from + k];
        }
      }
    }
    __syncthreads();
  }
}

/// In each row of n values the row's value (null: 1) at the place of its index, zeros elsewhere.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    place_kernel(const int32_t* indices, const float* values, int64_t rows, int64_t n, float* out) {
  for (const int64_t row : row_range(rows)) {
    const int64_t index = indices[row];
    const float value = values == nullptr ? 1.0f : values[row];
    auto* const to = reinterpret_cast<Floats<kWidth>*>(out + row * n);
    for (const int64_t i : along_row(n / kWidth)) {
      Floats<kWidth> some;
      for (int w = 0; w < kWidth; ++w) some.at[w] = i * kWidth + w == index ? value : 0.0f;
      to[i] = some;
    }
  }
}

__global__ void __launch_bounds__(kThreads) pick_last_kernel(const float* x, const int32_t* indices, int64_t size,
                                                             int64_t rows, float* out, KernelFault* fault) {
  for (const int64_t i : grid_range(rows)) {
    out[i] = x[i * size + checked_index(fault, FaultKind::kPickLast, indices[i], size)];
  }
}

void place(const Tensor& indices, const float* values, const Tensor& out) {
  if (out.elements() == 0) return;
  const int64_t n = out.dim(-1);
  float* to = device_data<float>(out);
  const auto start = [&](auto width) {
    const RowGrid grid = row_grid(indices.elements(), n / width());
    launch(place_kernel<width()>, grid.blocks, grid.threads, 0, device_data<int32_t>(indices), values,
           indices.elements(), n, to);
  };
  with_floats(n, start, to);
}

}  // namespace

void gather(const Tensor& table, const Tensor& indices, const Tensor& out) {
  if (out.elements() == 0) return;
  const int64_t count = indices.elements();
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(count, n);
    launch(gather_kernel<T>, grid.blocks, grid.threads, 0, reinterpret_cast<const T*>(table.raw()),
           device_data<int32_t>(indices), table.dim(0), count, n, reinterpret_cast<T*>(out.raw()), fault_slot());
  };
  with_units(static_cast<int64_t>(out.bytes()) / count, start, table.raw(), out.raw());
}

void gather_grad(const Tensor& indices, const Tensor& dy, const Tensor& dtable) {
  const int64_t rows = dtable.dim(0);
  if (dtable.elements() == 0) return;
  launch(gather_grad_kernel, static_cast<unsigned>(rows), kThreads, 0, device_data<int32_t>(indices),
         indices.elements(), dtable.elements() / rows, device_data<float>(dy), device_data<float>(dtable));
}

void one_hot(const Tensor& indices, const Tensor& out) { place(indices, nullptr, out); }

void pick_last(const Tensor& x, const Tensor& indices, const Tensor& out) {
  launch(pick_last_kernel, blocks_for(out.elements()), kThreads, 0, device_data<float>(x),
         device_data<int32_t>(indices), x.dim(-1), out.elements(), device_data<float>(out), fault_slot());
}

void pick_last_grad(const Tensor& indices, const Tensor& dy, const Tensor& dx) {
  place(indices, device_data<float>(dy), dx);
}

}  // namespace wende::cuda
