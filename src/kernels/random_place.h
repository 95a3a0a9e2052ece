#pragma once

#include <cstdint>

#include "device/host_device.h"
#include "device/philox.h"
#include "kernels/dropout.h"

namespace wende {

WENDE_HD inline uint64_t mixed_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Where an element stands in its batch: see RandomLayout.
struct RandomPlace {
  int64_t row = -1;
  int64_t frame = 0;    ///< index of the first dynamic axis
  int64_t further = 0;  ///< of the other dynamic axes, folded into one number below 2^24
  int64_t fixed = 0;    ///< index over the outer fixed axes
  int dynamic = 0;

  /// Axes from the outermost one on.
  WENDE_HD void enter(cpu::RandomLayout::Axis kind, int64_t index, int64_t size) {
    if (kind == cpu::RandomLayout::Axis::kBatch) {
      row = index;
    } else if (kind == cpu::RandomLayout::Axis::kFixed) {
      fixed = fixed * size + index;
    } else if (dynamic++ == 0) {
      frame = index;
    } else if (dynamic == 2) {
      further = index;
    } else {
      further =
          static_cast<int64_t>(mixed_bits(static_cast<uint64_t>(further) << 32 ^ static_cast<uint64_t>(index)) >> 40);
    }
  }

  /// Each sequence has a key of its own.
  WENDE_HD static Philox keyed(Philox philox, uint64_t id) {
    const uint64_t key = mixed_bits(id + 1);
    philox.key0 ^= static_cast<uint32_t>(key);
    philox.key1 ^= static_cast<uint32_t>(key >> 32);
    return philox;
  }

  /// Number of the first element of the tail. Blocks of 4 elements: those of the fixed axes (`all_fixed` elements),
  /// then the further dynamic axes, all below 2^32; frames are above.
  WENDE_HD int64_t first_element(int64_t all_fixed, int64_t tail) const {
    return 4 * ((all_fixed + 3) / 4) * further + fixed * tail;
  }
};

}  // namespace wende
