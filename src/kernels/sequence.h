#pragma once

#include <vector>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// bool out [B,T] or [T,B].
void sequence_mask(const std::vector<int32_t>& lengths, bool time_major, const Tensor& out);
/// Reverses each sequence within its length; any dtype and any position of the two axes.
void reverse_sequence(const Tensor& x, const std::vector<int32_t>& lengths, int batch_axis, int time_axis,
                      const Tensor& out);
/// x [B,T,...] or [T,B,...] -> out [packed,...], the frames of one sequence after the other.
void pack(const Tensor& x, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out);
/// The inverse, with zeros in the padding.
void unpack(const Tensor& packed, const std::vector<int32_t>& lengths, bool time_major, const Tensor& out);

/// Where frames in the order of time stand in [T,B]: out [packed] of t * B + b for the valid ones; and back, out [T,B],
/// with 0 on padding.
void packed_places(const std::vector<int32_t>& lengths, int64_t times, const Tensor& out);
void unpacked_places(const std::vector<int32_t>& lengths, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(sequence_mask)
WENDE_CUDA_KERNEL(reverse_sequence)
WENDE_CUDA_KERNEL(pack)
WENDE_CUDA_KERNEL(unpack)
