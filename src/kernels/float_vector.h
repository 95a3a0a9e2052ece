#pragma once

#include <cstdint>
#include <cstring>

namespace wende::cpu {

/// float32 in a vector register of the instructions that the program is compiled for.
#if defined(__AVX512F__)
constexpr int64_t kVector = 16;
#elif defined(__AVX__)
constexpr int64_t kVector = 8;
#else
constexpr int64_t kVector = 4;
#endif

typedef float Vector __attribute__((vector_size(kVector * sizeof(float))));

/// From and to memory of any alignment.
inline Vector load(const float* from) {
  Vector value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}
inline void store(const Vector& value, float* to) { std::memcpy(to, &value, sizeof(value)); }

}  // namespace wende::cpu
