#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wende {

/// The number stream of numpy.random.RandomState (MT19937, legacy methods), bit for bit: sequence orders and generated
/// data must be those that RETURNN makes with the same seed.
class RandomState {
 public:
  explicit RandomState(uint32_t seed);
  explicit RandomState(const std::vector<uint32_t>& key);  ///< as RandomState((a, b))

  uint32_t next();                             ///< 32 bits
  double random_sample();                      ///< [0, 1) with 53 bits; also uniform() and rand()
  uint32_t interval(uint32_t most);            ///< [0, most], by masked rejection
  int64_t randint(int64_t low, int64_t high);  ///< [low, high); one draw per call; high - low <= 2^32
  void shuffle(std::vector<int64_t>& items);
  std::vector<int64_t> permutation(int64_t n);

 private:
  static constexpr size_t kSize = 624;
  void seed(uint32_t seed);
  void refill();

  std::array<uint32_t, kSize> state_{};
  size_t position_ = kSize;
};

}  // namespace wende
