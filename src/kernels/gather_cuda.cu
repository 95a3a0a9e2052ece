#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/kernel_fault.cuh"
#include "kernels/gather.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kThreads) gather_kernel(const T* table, const int32_t* indices, int64_t rows,
                                                          int64_t inner, int64_t elements, T* out, KernelFault* fault) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t row = checked_index(fault, FaultKind::kGather, indices[i / inner], rows);
    out[i] = table[row * inner + i % inner];
  }
}

/// One block per row of the table: finds the indices that name it, a block of them at a time, and adds their gradients
/// in order. Reading all indices for each row costs little beside the gradients, and needs no atomics.
__global__ void __launch_bounds__(kThreads)
    gather_grad_kernel(const int32_t* indices, int64_t count, int64_t inner, const float* dy, float* dtable) {
  __shared__ bool named[kThreads];
  const int32_t row = static_cast<int32_t>(blockIdx.x);
  float* to = dtable + int64_t{row} * inner;
  for (int64_t k = threadIdx.x; k < inner; k += blockDim.x) to[k] = 0.0f;
  for (int64_t first = 0; first < count; first += blockDim.x) {
    const int64_t mine = first + threadIdx.x;
    named[threadIdx.x] = mine < count && indices[mine] == row;
    if (__syncthreads_or(named[threadIdx.x])) {
      for (int64_t i = 0; i < blockDim.x; ++i) {
        if (!named[i]) continue;
        for (int64_t k = threadIdx.x; k < inner; k += blockDim.x) to[k] += dy[(first + i) * inner + k];
      }
    }
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kThreads)
    one_hot_kernel(const int32_t* indices, int64_t depth, int64_t elements, float* out) {
  for (const int64_t i : grid_range(elements)) {
    out[i] = indices[i / depth] == i % depth ? 1.0f : 0.0f;
  }
}

__global__ void __launch_bounds__(kThreads) pick_last_kernel(const float* x, const int32_t* indices, int64_t size,
                                                             int64_t rows, float* out, KernelFault* fault) {
  for (const int64_t i : grid_range(rows)) {
    out[i] = x[i * size + checked_index(fault, FaultKind::kPickLast, indices[i], size)];
  }
}

__global__ void __launch_bounds__(kThreads)
    pick_last_grad_kernel(const int32_t* indices, const float* dy, int64_t size, int64_t elements, float* dx) {
  for (const int64_t i : grid_range(elements)) {
    dx[i] = indices[i / size] == i % size ? dy[i / size] : 0.0f;
  }
}

template <class T>
void gather_typed(const Tensor& table, const int32_t* index, int64_t inner, const Tensor& out) {
  launch(gather_kernel<T>, blocks_for(out.elements()), kThreads, 0, reinterpret_cast<const T*>(table.raw()), index,
         table.dim(0), inner, out.elements(), reinterpret_cast<T*>(out.raw()), fault_slot());
}

}  // namespace

void gather(const Tensor& table, const Tensor& indices, const Tensor& out) {
  if (out.elements() == 0) return;
  const int64_t inner = out.elements() / indices.elements();
  const int32_t* index = device_data<int32_t>(indices);
  switch (size_of(table.dtype())) {
    case 1:
      return gather_typed<uint8_t>(table, index, inner, out);
    case 4:
      return gather_typed<uint32_t>(table, index, inner, out);
    default:
      return gather_typed<uint64_t>(table, index, inner, out);
  }
}

void gather_grad(const Tensor& indices, const Tensor& dy, const Tensor& dtable) {
  const int64_t rows = dtable.dim(0);
  if (dtable.elements() == 0) return;
  launch(gather_grad_kernel, static_cast<unsigned>(rows), kThreads, 0, device_data<int32_t>(indices),
         indices.elements(), dtable.elements() / rows, device_data<float>(dy), device_data<float>(dtable));
}

void one_hot(const Tensor& indices, const Tensor& out) {
  launch(one_hot_kernel, blocks_for(out.elements()), kThreads, 0, device_data<int32_t>(indices), out.dim(-1),
         out.elements(), device_data<float>(out));
}

void pick_last(const Tensor& x, const Tensor& indices, const Tensor& out) {
  launch(pick_last_kernel, blocks_for(out.elements()), kThreads, 0, device_data<float>(x),
         device_data<int32_t>(indices), x.dim(-1), out.elements(), device_data<float>(out), fault_slot());
}

void pick_last_grad(const Tensor& indices, const Tensor& dy, const Tensor& dx) {
  launch(pick_last_grad_kernel, blocks_for(dx.elements()), kThreads, 0, device_data<int32_t>(indices),
         device_data<float>(dy), dx.dim(-1), dx.elements(), device_data<float>(dx));
}

}  // namespace wende::cuda
