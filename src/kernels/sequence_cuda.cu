#include <algorithm>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/sequence.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Numbers that the host knows, for a kernel. The memory may be freed at once: it is used again in stream order.
template <class T>
Tensor uploaded(const std::vector<T>& values, Device device) {
  return on(device, Tensor::of<T>(values, Shape{static_cast<int64_t>(values.size())}));
}

void check_batch(const std::vector<int32_t>& lengths, int64_t batch) {
  if (static_cast<int64_t>(lengths.size()) != batch) throw internal_error("lengths do not fit the batch axis");
}

__global__ void __launch_bounds__(kThreads)
    mask_kernel(const int32_t* lengths, int64_t batch, int64_t time, bool time_major, bool* out) {
  for (const int64_t i : grid_range(batch * time)) {
    out[i] = time_major ? i / batch < lengths[i % batch] : i % time < lengths[i / time];
  }
}

/// [outer, first, middle, second, inner] with batch and time as first and second, in either order.
struct Axes {
  int64_t outer = 1;
  int64_t first = 1;
  int64_t middle = 1;
  int64_t second = 1;
  int64_t inner = 1;
  bool time_first = false;
};

/// Rows of `inner` units.
template <class T>
__global__ void __launch_bounds__(kThreads)
    reverse_kernel(Axes at, const int32_t* lengths, const T* __restrict__ x, T* __restrict__ out) {
  for (const int64_t row : row_range(at.outer * at.first * at.middle * at.second)) {
    int64_t rest = row;
    const int64_t second = rest % at.second;
    rest /= at.second;
    const int64_t middle = rest % at.middle;
    rest /= at.middle;
    const int64_t first = rest % at.first;
    const int64_t outer = rest / at.first;
    const int64_t t = at.time_first ? first : second;
    const int64_t times = at.time_first ? at.first : at.second;
    int64_t length = lengths[at.time_first ? second : first];
    length = length < times ? length : times;
    const int64_t from_t = t < length ? length - 1 - t : t;
    const int64_t from_first = at.time_first ? from_t : first;
    const int64_t from_second = at.time_first ? second : from_t;
    const int64_t from = ((outer * at.first + from_first) * at.middle + middle) * at.second + from_second;
    for (const int64_t i : along_row(at.inner)) out[row * at.inner + i] = x[from * at.inner + i];
  }
}

/// Frames of n units. starts: packed row of each sequence's first frame. to_packed: else the other way, with zeros in
/// the padding.
template <class T>
__global__ void __launch_bounds__(kThreads)
    pack_kernel(bool to_packed, const int32_t* lengths, const int64_t* starts, int64_t batch, int64_t time,
                bool time_major, int64_t n, T* __restrict__ unpacked, T* __restrict__ packed) {
  for (const int64_t frame : row_range(batch * time)) {
    const int64_t b = time_major ? frame % batch : frame / time;
    const int64_t t = time_major ? frame / batch : frame % time;
    const bool padding = t >= lengths[b];
    T* const outside = unpacked + frame * n;
    T* const inside = packed + (starts[b] + t) * n;
    if (to_packed && padding) continue;
    for (const int64_t i : along_row(n)) {
      if (to_packed) {
        inside[i] = outside[i];
      } else {
        outside[i] = padding ? T{} : inside[i];
      }
    }
  }
}

void move_frames(bool to_packed, const Tensor& unpacked, std::vector<int32_t> lengths, bool time_major,
                 const Tensor& packed) {
  const int64_t batch = unpacked.dim(time_major ? 1 : 0);
  const int64_t time = unpacked.dim(time_major ? 0 : 1);
  check_batch(lengths, batch);
  if (unpacked.elements() == 0) return;
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (int32_t& length : lengths) {
    length = std::clamp<int32_t>(length, 0, static_cast<int32_t>(time));
    starts.push_back(start);
    start += length;
  }
  const Tensor on_device = uploaded(lengths, unpacked.device());
  const Tensor device_starts = uploaded(starts, unpacked.device());
  const auto start_kernel = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(batch * time, n);
    launch(pack_kernel<T>, grid.blocks, grid.threads, 0, to_packed, device_data<int32_t>(on_device),
           device_data<int64_t>(device_starts), batch, time, time_major, n, reinterpret_cast<T*>(unpacked.raw()),
           reinterpret_cast<T*>(packed.raw()));
  };
  with_units(static_cast<int64_t>(unpacked.bytes()) / (batch * time), start_kernel, unpacked.raw(), packed.raw());
}

}  // namespace

void sequence_mask(const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  const int64_t batch = out.dim(time_major ? 1 : 0);
  check_batch(lengths, batch);
  const Tensor on_device = uploaded(lengths, out.device());
  launch(mask_kernel, blocks_for(out.elements()), kThreads, 0, device_data<int32_t>(on_device), batch,
         out.dim(time_major ? 0 : 1), time_major, device_data<bool>(out));
}

void reverse_sequence(const Tensor& x, const std::vector<int32_t>& lengths, int batch_axis, int time_axis,
                      const Tensor& out) {
  check_batch(lengths, x.dim(batch_axis));
  const int first = std::min(batch_axis, time_axis);
  const int second = std::max(batch_axis, time_axis);
  Axes at;
  at.time_first = time_axis == first;
  for (int i = 0; i < x.rank(); ++i) {
    (i < first     ? at.outer
     : i == first  ? at.first
     : i < second  ? at.middle
     : i == second ? at.second
                   : at.inner) *= x.dim(i);
  }
  if (x.elements() == 0) return;
  const int64_t rows = x.elements() / at.inner;
  const Tensor on_device = uploaded(lengths, x.device());
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    at.inner = n;
    const RowGrid grid = row_grid(rows, n);
    launch(reverse_kernel<T>, grid.blocks, grid.threads, 0, at, device_data<int32_t>(on_device),
           reinterpret_cast<const T*>(x.raw()), reinterpret_cast<T*>(out.raw()));
  };
  with_units(static_cast<int64_t>(x.bytes()) / rows, start, x.raw(), out.raw());
}

void pack(const Tensor& x, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  move_frames(true, x, lengths, time_major, out);
}

void unpack(const Tensor& packed, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  move_frames(false, out, lengths, time_major, packed);
}

}  // namespace wende::cuda
