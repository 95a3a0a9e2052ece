#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "collective/communicator.h"
#include "device/host_device.h"

namespace wende {

/// The upper half of a float32, rounded to the nearest, ties to even; NaN stays NaN.
WENDE_HD inline uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
WENDE_HD inline float from_bfloat16(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

/// Sums over the ranks by MPI with bfloat16 on the wire: half the bytes. Each of n summands is rounded, and each of
/// n - 1 sums: the error is at most n 2^-8 times the sum of the absolute values.
std::unique_ptr<AsyncSums> bfloat16_sums(Communicator& communicator);

namespace cuda {
/// In the order of the computation's stream.
void round_to_bfloat16(const float* from, uint16_t* to, size_t count);
void widen_bfloat16(const uint16_t* from, float* to, size_t count);
}  // namespace cuda

}  // namespace wende
