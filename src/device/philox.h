#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "device/host_device.h"

namespace wende {

/// Philox4x32-10 (Salmon et al., SC 2011): counter-based, so that the value of an element depends on
/// (seed, step, node, element) only: the same on CPU and GPU and on any number of ranks.
struct Philox {
  uint32_t key0;
  uint32_t key1;
  uint32_t stream0;  ///< step
  uint32_t stream1;  ///< node
  uint64_t first_block = 0;

  WENDE_HD static Philox keyed(uint64_t seed, uint64_t step, uint32_t node) {
    return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(step),
            node ^ (static_cast<uint32_t>(step >> 32) * 0x9E3779B9u)};
  }

  /// The numbers of TensorFlow's random ops: seeds of the graph and of the op. An op that has run before begins where
  /// its last run ended: at `first_block`.
  WENDE_HD static Philox of_op(uint64_t graph_seed, uint32_t op_seed, uint64_t first_block = 0) {
    return {static_cast<uint32_t>(graph_seed), static_cast<uint32_t>(graph_seed >> 32), op_seed, 0, first_block};
  }

  /// These numbers, which are those of step 0, in a later step: of keyed(), or of of_op() with so many blocks in each.
  WENDE_HD Philox at_step(uint64_t step, uint64_t blocks_per_step) const {
    Philox later = *this;
    later.first_block += step * blocks_per_step;
    if (blocks_per_step == 0) {
      later.stream0 = static_cast<uint32_t>(step);
      later.stream1 ^= static_cast<uint32_t>(step >> 32) * 0x9E3779B9u;
    }
    return later;
  }

  /// Four words for block `index`; element i uses word i % 4 of block i / 4.
  WENDE_HD std::array<uint32_t, 4> block(uint64_t index) const {
    const uint64_t counter = first_block + index;
    std::array<uint32_t, 4> c{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), stream0, stream1};
    uint32_t k0 = key0;
    uint32_t k1 = key1;
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
      const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
      c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return c;
  }

  /// Uniform in [0, 1), of the lower 23 bits as TensorFlow does.
  WENDE_HD static float to_uniform(uint32_t word) { return static_cast<float>(word & 0x7FFFFFu) * (1.0f / 8388608.0f); }

  WENDE_HD float uniform(uint64_t element) const { return to_uniform(block(element / 4)[element % 4]); }

  /// Two standard normal numbers by Box-Muller, as TensorFlow does.
  WENDE_HD static std::array<float, 2> to_normal(uint32_t first, uint32_t second) {
    const float u1 = to_uniform(first) < 1e-7f ? 1e-7f : to_uniform(first);
    const float angle = 6.28318530717958647f * to_uniform(second);
    const float radius = std::sqrt(-2.0f * std::log(u1));
    return {radius * std::sin(angle), radius * std::cos(angle)};
  }

  /// Standard normal; elements 2j and 2j+1 share one pair of words.
  WENDE_HD float normal(uint64_t element) const {
    const auto words = block(element / 4);
    const size_t pair = (element % 4) / 2 * 2;
    return to_normal(words[pair], words[pair + 1])[element % 2];
  }
};

}  // namespace wende
