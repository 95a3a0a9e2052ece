// Sums over the ranks: mpirun -n N wende_bench_sums [MB ...]. WENDE_HOST_SUMS=0 shows MPI's own.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/clock.h"
#include "collective/communicator.h"

namespace {

constexpr int kRepeats = 15;

/// Seconds from a common start until the last rank is through, sorted.
std::vector<double> seconds(wende::Communicator& world, float* values, size_t count) {
  std::vector<double> all;
  for (int i = 0; i < kRepeats; ++i) {
    world.barrier();
    const double start = wende::monotonic_seconds();
    world.start_all_sum(values, count)->wait();
    int64_t own = static_cast<int64_t>((wende::monotonic_seconds() - start) * 1e9);
    world.all_max(&own, 1);
    all.push_back(static_cast<double>(own) * 1e-9);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const auto world = wende::Communicator::detect(&argc, &argv);
  std::vector<std::string> sizes(argv + 1, argv + argc);
  if (sizes.empty()) sizes = {"0.004", "0.0625", "1", "4", "64"};
  for (const std::string& size : sizes) {
    const size_t count = std::max<size_t>(1, static_cast<size_t>(std::stod(size) * (1 << 18)));
    std::vector<float> own;
    auto* values = reinterpret_cast<float*>(world->memory_for_sums(count * sizeof(float)));
    if (values == nullptr) {
      own.resize(count);
      values = own.data();
    }
    std::fill_n(values, count, 0.0f);
    world->barrier();
    const std::vector<double> all = seconds(*world, values, count);
    if (world->is_root()) {
      fmt::print("{} ranks, {} MB: median {:.3f} ms, best {:.3f} ms ({})\n", world->size(), size,
                 all[kRepeats / 2] * 1e3, all[0] * 1e3, world->sums());
    }
  }
}
