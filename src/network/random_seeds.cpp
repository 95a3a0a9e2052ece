#include "network/random_seeds.h"

namespace wende {

namespace {

constexpr int64_t kRange = int64_t{1} << 31;

int64_t remainder(int64_t value) { return ((value % kRange) + kRange) % kRange; }

}  // namespace

uint32_t network_seed(const Config& config) {
  // Set where networks differ by epoch; a network that never changes is that of the first.
  const int64_t epoch = config.get_int("network_epoch", 1);
  const int64_t seed = config.get_int("random_seed", 0);
  return static_cast<uint32_t>(seed == 0 ? epoch : remainder(epoch * 3 + remainder(seed) * 5 + 7));
}

uint64_t graph_seed(const Config& config) {
  constexpr uint64_t kWithoutSeed = 42;
  if (config.get_int("random_seed", 0) == 0) return kWithoutSeed;
  return static_cast<uint64_t>(remainder(int64_t{network_seed(config)} * 2 + 3));
}

}  // namespace wende
