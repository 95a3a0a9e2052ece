#include <algorithm>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
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

/// Calls visit with an unsigned number as wide as an element.
template <class Visit>
void with_width(DType dtype, Visit&& visit) {
  switch (size_of(dtype)) {
    case 1:
      return visit(uint8_t{});
    case 4:
      return visit(uint32_t{});
    default:
      return visit(uint64_t{});
  }
}

template <class T>
const T* words(const Tensor& x) {
  return reinterpret_cast<const T*>(x.raw());
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

template <class T>
__global__ void __launch_bounds__(kThreads)
    reverse_kernel(Axes at, const int32_t* lengths, int64_t elements, const T* x, T* out) {
  for (const int64_t i : grid_range(elements)) {
    int64_t rest = i / at.inner;
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
    out[i] =
        x[(((outer * at.first + from_first) * at.middle + middle) * at.second + from_second) * at.inner + i % at.inner];
  }
}

/// Of the unpacked side. starts: packed row of each sequence's first frame. to_packed: else the other way, with zeros
/// in the padding.
template <class T>
__global__ void __launch_bounds__(kThreads)
    pack_kernel(bool to_packed, const int32_t* lengths, const int64_t* starts, int64_t batch, int64_t time,
                bool time_major, int64_t inner, T* unpacked, T* packed) {
  for (const int64_t i : grid_range(batch * time * inner)) {
    const int64_t frame = i / inner;
    const int64_t b = time_major ? frame % batch : frame / time;
    const int64_t t = time_major ? frame / batch : frame % time;
    const int64_t at = (starts[b] + t) * inner + i % inner;
    if (to_packed) {
      if (t < lengths[b]) packed[at] = unpacked[i];
    } else {
      unpacked[i] = t < lengths[b] ? packed[at] : T(0);
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
  const int64_t inner = unpacked.elements() / (batch * time);
  with_width(unpacked.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(pack_kernel<T>, blocks_for(unpacked.elements()), kThreads, 0, to_packed, device_data<int32_t>(on_device),
           device_data<int64_t>(device_starts), batch, time, time_major, inner, reinterpret_cast<T*>(unpacked.raw()),
           reinterpret_cast<T*>(packed.raw()));
  });
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
  const Tensor on_device = uploaded(lengths, x.device());
  with_width(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(reverse_kernel<T>, blocks_for(x.elements()), kThreads, 0, at, device_data<int32_t>(on_device), x.elements(),
           words<T>(x), reinterpret_cast<T*>(out.raw()));
  });
}

void pack(const Tensor& x, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  move_frames(true, x, lengths, time_major, out);
}

void unpack(const Tensor& packed, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  move_frames(false, out, lengths, time_major, packed);
}

}  // namespace wende::cuda
