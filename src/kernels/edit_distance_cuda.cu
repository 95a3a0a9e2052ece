#include "device/cuda_check.cuh"
#include "kernels/edit_distance.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct Batch {
  const int32_t* a;
  const int32_t* a_lengths;
  const int32_t* b;
  const int32_t* b_lengths;
  int64_t sequences;
  int64_t times;
  int64_t width;
  bool time_major;
  int32_t blank;
  bool collapse_b;
  const int32_t* label_map;
  int64_t mapped;
  int32_t* second;  ///< [U,B]: b as it counts
  int32_t* row;     ///< [U+1,B]: distances of the prefixes of b

  __device__ int32_t map(int32_t label) const { return label >= 0 && label < mapped ? label_map[label] : label; }
  __device__ int32_t first(int64_t t, int64_t b) const { return a[time_major ? t * sequences + b : b * times + t]; }
};

/// Writes b as it counts and the distances from nothing to its prefixes; returns its length.
__device__ int64_t prepare(const Batch& batch, int64_t b) {
  const int32_t* labels = batch.b + b * batch.width;
  const int64_t length = batch.b_lengths[b] < batch.width ? batch.b_lengths[b] : batch.width;
  int64_t count = 0;
  batch.row[b] = 0;
  for (int64_t i = 0; i < length; ++i) {
    if (batch.collapse_b && i > 0 && labels[i] == labels[i - 1]) continue;
    batch.second[count * batch.sequences + b] = batch.map(labels[i]);
    ++count;
    batch.row[count * batch.sequences + b] = static_cast<int32_t>(count);
  }
  return count;
}

/// Distances to one more label of a.
__device__ void advance(const Batch& batch, int64_t b, int64_t count, int32_t label) {
  int32_t diagonal = batch.row[b];
  int32_t left = diagonal + 1;
  batch.row[b] = left;
  for (int64_t j = 0; j < count; ++j) {
    int32_t best = diagonal + (batch.second[j * batch.sequences + b] == label ? 0 : 1);
    int32_t& place = batch.row[(j + 1) * batch.sequences + b];
    diagonal = place;
    best = diagonal + 1 < best ? diagonal + 1 : best;
    left = left + 1 < best ? left + 1 : best;
    place = left;
  }
}

/// A thread per sequence: neighbours read and write neighbouring numbers.
__global__ void __launch_bounds__(32) distances_kernel(Batch batch, float* out) {
  const int64_t b = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (b >= batch.sequences) return;
  const int64_t count = prepare(batch, b);
  int32_t previous = -1;
  for (int64_t t = 0; t < batch.times && t < batch.a_lengths[b]; ++t) {
    const int32_t label = batch.first(t, b);
    const bool counts = batch.blank < 0 || (label != batch.blank && (t == 0 || label != previous));
    previous = label;
    if (counts) advance(batch, b, count, batch.map(label));
  }
  out[b] = static_cast<float>(batch.row[count * batch.sequences + b]);
}

}  // namespace

void edit_distances(const cpu::EditDistances& batch) {
  const int64_t sequences = batch.b.dim(0);
  const int64_t width = batch.b.dim(1);
  if (sequences == 0) return;
  const Device device = batch.out.device();
  const Tensor map =
      on(device, Tensor::of<int32_t>(batch.label_map, Shape{static_cast<int64_t>(batch.label_map.size())}));
  const Tensor second = Tensor::empty(DType::kInt32, Shape{width, sequences}, device);
  const Tensor row = Tensor::empty(DType::kInt32, Shape{width + 1, sequences}, device);
  const Batch problem{device_data<int32_t>(batch.a),
                      device_data<int32_t>(batch.a_lengths),
                      device_data<int32_t>(batch.b),
                      device_data<int32_t>(batch.b_lengths),
                      sequences,
                      batch.a.dim(batch.time_major ? 0 : 1),
                      width,
                      batch.time_major,
                      batch.blank,
                      batch.collapse_b,
                      device_data<int32_t>(map),
                      map.elements(),
                      device_data<int32_t>(second),
                      device_data<int32_t>(row)};
  launch(distances_kernel, blocks_for(sequences, 32), 32, 0, problem, device_data<float>(batch.out));
}

}  // namespace wende::cuda
