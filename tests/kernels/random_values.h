#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace wende::cpu {

/// Between -1 and 1.
inline std::vector<float> random(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(generator);
  return values;
}

}  // namespace wende::cpu
