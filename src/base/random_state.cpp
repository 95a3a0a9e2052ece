#include "base/random_state.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace wende {

namespace {

constexpr size_t kShift = 397;

uint32_t twist(uint32_t upper, uint32_t lower) {
  const uint32_t mixed = (upper & 0x80000000U) | (lower & 0x7fffffffU);
  return (mixed >> 1) ^ ((lower & 1U) != 0 ? 0x9908b0dfU : 0U);
}

uint32_t mask_for(uint32_t most) {
  uint32_t mask = most;
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  return mask;
}

}  // namespace

RandomState::RandomState(uint32_t seed_value) { seed(seed_value); }

RandomState::RandomState(const std::vector<uint32_t>& key) {
  seed(19650218U);
  size_t i = 1;
  size_t j = 0;
  auto mix = [&](uint32_t factor) { return state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * factor); };
  auto advance = [&] {
    if (++i >= kSize) {
      state_[0] = state_[kSize - 1];
      i = 1;
    }
  };
  for (size_t k = std::max(kSize, key.size()); k > 0; --k) {
    state_[i] = mix(1664525U) + key[j] + static_cast<uint32_t>(j);
    advance();
    j = (j + 1) % key.size();
  }
  for (size_t k = kSize - 1; k > 0; --k) {
    state_[i] = mix(1566083941U) - static_cast<uint32_t>(i);
    advance();
  }
  state_[0] = 0x80000000U;
}

void RandomState::seed(uint32_t seed_value) {
  state_[0] = seed_value;
  for (size_t i = 1; i < kSize; ++i) {
    state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + static_cast<uint32_t>(i);
  }
  position_ = kSize;
}

void RandomState::refill() {
  for (size_t i = 0; i < kSize; ++i) {
    state_[i] = state_[(i + kShift) % kSize] ^ twist(state_[i], state_[(i + 1) % kSize]);
  }
  position_ = 0;
}

uint32_t RandomState::next() {
  if (position_ == kSize) refill();
  uint32_t y = state_[position_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

double RandomState::random_sample() {
  const uint32_t high = next() >> 5;
  const uint32_t low = next() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

uint32_t RandomState::interval(uint32_t most) {
  if (most == 0) return 0;
  const uint32_t mask = mask_for(most);
  uint32_t value = next() & mask;
  while (value > most) value = next() & mask;
  return value;
}

int64_t RandomState::randint(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(interval(static_cast<uint32_t>(high - 1 - low)));
}

void RandomState::shuffle(std::vector<int64_t>& items) {
  for (size_t i = items.size(); i-- > 1;) std::swap(items[i], items[interval(static_cast<uint32_t>(i))]);
}

std::vector<int64_t> RandomState::permutation(int64_t n) {
  std::vector<int64_t> items(static_cast<size_t>(n));
  std::iota(items.begin(), items.end(), int64_t{0});
  shuffle(items);
  return items;
}

}  // namespace wende
