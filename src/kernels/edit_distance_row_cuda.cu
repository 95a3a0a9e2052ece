#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/edit_distance_row.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

EditRowData read(const cpu::EditRows& rows) {
  return {device_data<int32_t>(rows.last), device_data<int32_t>(rows.count),   device_data<int32_t>(rows.ended),
          device_data<int32_t>(rows.b),    device_data<int32_t>(rows.lengths), rows.last.dim(1)};
}

/// A thread per sequence: each entry needs the one before.
__global__ void __launch_bounds__(kThreads)
    next_rows_kernel(EditRowData rows, const int32_t* labels, int64_t sequences, int32_t* out) {
  for (const int64_t i : grid_range(sequences)) rows.at(i).read(labels[i], rows.size, out + i * rows.size);
}

/// A thread per label of each sequence.
__global__ void __launch_bounds__(kThreads)
    smallest_kernel(EditRowData rows, int64_t blank, int64_t classes, int64_t all, int32_t* out) {
  for (const int64_t i : grid_range(all)) {
    const EditRow row = rows.at(i / classes);
    const int64_t label = i % classes;
    out[i] = row.smallest(static_cast<int32_t>(label), !row.ended && label != blank);
  }
}

}  // namespace

void next_edit_rows(const cpu::EditRows& rows, const Tensor& labels, const Tensor& out) {
  launch(next_rows_kernel, blocks_for(out.dim(0)), kThreads, 0, read(rows), device_data<int32_t>(labels), out.dim(0),
         device_data<int32_t>(out));
}

void smallest_after_labels(const cpu::EditRows& rows, int64_t blank, const Tensor& out) {
  launch(smallest_kernel, blocks_for(out.elements()), kThreads, 0, read(rows), blank, out.dim(1), out.elements(),
         device_data<int32_t>(out));
}

}  // namespace wende::cuda
