#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/sequence.h"

namespace wende::cpu {

namespace {

/// Bytes of one element of the axes from `axis` on.
size_t block_bytes(const Tensor& x, int axis) {
  size_t bytes = size_of(x.dtype());
  for (int i = axis; i < x.rank(); ++i) bytes *= static_cast<size_t>(x.dim(i));
  return bytes;
}

/// Frames of sequence b that lie inside the time axis.
int64_t frames(const std::vector<int32_t>& lengths, int64_t b, int64_t max_time) {
  return std::clamp<int64_t>(lengths[static_cast<size_t>(b)], 0, max_time);
}

void check_batch(const std::vector<int32_t>& lengths, int64_t batch) {
  if (static_cast<int64_t>(lengths.size()) != batch) throw internal_error("lengths do not fit the batch axis");
}

}  // namespace

void sequence_mask(const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  const int64_t batch = out.dim(time_major ? 1 : 0);
  const int64_t time = out.dim(time_major ? 0 : 1);
  check_batch(lengths, batch);
  bool* to = out.data<bool>();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t < time; ++t)
      to[time_major ? t * batch + b : b * time + t] = t < lengths[static_cast<size_t>(b)];
  }
}

void reverse_sequence(const Tensor& x, const std::vector<int32_t>& lengths, int batch_axis, int time_axis,
                      const Tensor& out) {
  check_batch(lengths, x.dim(batch_axis));
  // [outer, first, middle, second, inner] with batch and time as first and second, in either order.
  const int first = std::min(batch_axis, time_axis);
  const int second = std::max(batch_axis, time_axis);
  int64_t outer = 1;
  for (int i = 0; i < first; ++i) outer *= x.dim(i);
  int64_t middle = 1;
  for (int i = first + 1; i < second; ++i) middle *= x.dim(i);
  const size_t inner = block_bytes(x, second + 1);
  const int64_t time = x.dim(time_axis);
  const bool time_first = time_axis == first;
  int64_t at = 0;
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < x.dim(first); ++i) {
      for (int64_t m = 0; m < middle; ++m) {
        for (int64_t k = 0; k < x.dim(second); ++k, ++at) {
          const int64_t t = time_first ? i : k;
          const int64_t length = frames(lengths, time_first ? k : i, time);
          const int64_t from_t = t < length ? length - 1 - t : t;
          const int64_t from_i = time_first ? from_t : i;
          const int64_t from_k = time_first ? k : from_t;
          const int64_t from = ((o * x.dim(first) + from_i) * middle + m) * x.dim(second) + from_k;
          std::memcpy(out.raw() + static_cast<size_t>(at) * inner, x.raw() + static_cast<size_t>(from) * inner, inner);
        }
      }
    }
  }
}

void pack(const Tensor& x, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  const int64_t batch = x.dim(time_major ? 1 : 0);
  const int64_t time = x.dim(time_major ? 0 : 1);
  check_batch(lengths, batch);
  const size_t bytes = block_bytes(x, 2);
  std::byte* to = out.raw();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t < frames(lengths, b, time); ++t, to += bytes) {
      std::memcpy(to, x.raw() + static_cast<size_t>(time_major ? t * batch + b : b * time + t) * bytes, bytes);
    }
  }
}

void unpack(const Tensor& packed, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out) {
  const int64_t batch = out.dim(time_major ? 1 : 0);
  const int64_t time = out.dim(time_major ? 0 : 1);
  check_batch(lengths, batch);
  const size_t bytes = block_bytes(out, 2);
  const std::byte* from = packed.raw();
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t length = frames(lengths, b, time);
    for (int64_t t = 0; t < time; ++t) {
      std::byte* to = out.raw() + static_cast<size_t>(time_major ? t * batch + b : b * time + t) * bytes;
      if (t < length) {
        std::memcpy(to, from, bytes);
        from += bytes;
      } else {
        std::memset(to, 0, bytes);
      }
    }
  }
}

void packed_places(const std::vector<int32_t>& lengths, int64_t times, const Tensor& out) {
  const auto batch = static_cast<int64_t>(lengths.size());
  int32_t* to = out.data<int32_t>();
  for (int64_t t = 0; t < times; ++t) {
    for (int64_t b = 0; b < batch; ++b) {
      if (t < lengths[static_cast<size_t>(b)]) *to++ = static_cast<int32_t>(t * batch + b);
    }
  }
}

void unpacked_places(const std::vector<int32_t>& lengths, const Tensor& out) {
  const int64_t batch = out.dim(1);
  check_batch(lengths, batch);
  int32_t* to = out.data<int32_t>();
  int32_t next = 0;
  for (int64_t t = 0; t < out.dim(0); ++t) {
    for (int64_t b = 0; b < batch; ++b) *to++ = t < lengths[static_cast<size_t>(b)] ? next++ : 0;
  }
}

}  // namespace wende::cpu
