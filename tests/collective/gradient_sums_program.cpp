// Run by mpirun: sums with bfloat16 on the wire keep their bound and are the same on all ranks; sums by shards reach
// their owners, who share what they make of them. With "gpu": by NCCL, on each rank's GPU.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "collective/bfloat16.h"
#include "collective/device_sums.h"
#include "device/choose_device.h"
#include "tensor/placement.h"

namespace wende {
namespace {

Communicator* world = nullptr;
Device device;

void require(bool holds, const std::string& what) {
  if (!holds) world->abort(1, "check failed: " + what);
}

/// Numbers of a rank: of many sizes, of both signs.
std::vector<float> numbers_of(int rank, size_t count) {
  std::vector<float> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    const double x = std::sin(static_cast<double>(i * 7 + 1) * (rank + 1.3));
    numbers[i] = static_cast<float>(x * std::pow(10.0, static_cast<double>(i % 9) - 4));
  }
  return numbers;
}

Tensor placed(const std::vector<float>& numbers) {
  return on(device, Tensor::of<float>(numbers, Shape{static_cast<int64_t>(numbers.size())}));
}

float* address(const Tensor& tensor) { return reinterpret_cast<float*>(tensor.raw()); }

void check_bfloat16(size_t count) {
  const auto sums = device.is_cpu() ? bfloat16_sums(*world) : device_sums(*world, true);
  const Tensor values = placed(numbers_of(world->rank(), count));
  sums->start_all_sum(address(values), count)->wait();
  const std::vector<float> found = on_host(values).to_vector<float>();
  bool rounded = false;
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    double size = 0;
    for (int rank = 0; rank < world->size(); ++rank) {
      sum += static_cast<double>(numbers_of(rank, i + 1).back());
      size += std::abs(static_cast<double>(numbers_of(rank, i + 1).back()));
    }
    const double error = std::abs(static_cast<double>(found[i]) - sum);
    require(error <= world->size() / 256.0 * size, fmt::format("error {} of {} at {}", error, sum, i));
    rounded = rounded || error > 1e-4 * size;
  }
  require(rounded, "nothing was rounded");
  for (const std::string& other : world->gather({reinterpret_cast<const char*>(found.data()), count * sizeof(float)})) {
    require(std::equal(other.begin(), other.end(), reinterpret_cast<const char*>(found.data())), "ranks differ");
  }
}

void check_shards(size_t count) {
  const Tensor values = placed(numbers_of(world->rank(), count));
  const auto sums =
      device.is_cpu() ? host_shards(*world, address(values), count) : device_shards(*world, address(values), count);
  const size_t middle = count / 3;
  const auto first = sums->start_all_sum(address(values), middle);
  const auto second = sums->start_all_sum(address(values) + middle, count - middle);
  first->wait();
  second->wait();
  const ShardRange own = shard_range(count, world->size(), world->rank());
  const std::vector<float> found = on_host(values).to_vector<float>();
  for (size_t i = own.begin; i < own.end; ++i) {
    double sum = 0;
    double size = 0;
    for (int rank = 0; rank < world->size(); ++rank) {
      sum += static_cast<double>(numbers_of(rank, i + 1).back());
      size += std::abs(static_cast<double>(numbers_of(rank, i + 1).back()));
    }
    require(std::abs(static_cast<double>(found[i]) - sum) <= 1e-6 * size, fmt::format("sum {} at {}", found[i], i));
  }
  std::vector<float> result(count, -1.0F);
  for (size_t i = own.begin; i < own.end; ++i) result[i] = static_cast<float>(i);
  const Tensor shared = placed(result);
  sums->share(address(shared));
  const std::vector<float> all = on_host(shared).to_vector<float>();
  for (size_t i = 0; i < count; ++i)
    require(all[i] == static_cast<float>(i), fmt::format("shared {} at {}", all[i], i));
}

/// Every place has one owner.
void check_ranges() {
  for (const size_t count : {size_t{1}, size_t{16}, size_t{1000}, size_t{1 << 20}}) {
    for (const int ranks : {1, 2, 3, 7}) {
      size_t end = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const ShardRange range = shard_range(count, ranks, rank);
        require(range.begin == end && range.begin <= range.end, "ranges follow each other");
        end = range.end;
      }
      require(end == count, "ranges cover everything");
    }
  }
}

}  // namespace
}  // namespace wende

int main(int argc, char** argv) {
  using namespace wende;
  const auto communicator = Communicator::mpi(&argc, &argv);
  world = communicator.get();
  device = choose_device(argc > 1 ? argv[1] : "cpu");
  try {
    check_ranges();
    for (const size_t count : {size_t{40}, size_t{1000}}) {
      check_bfloat16(count);
      check_shards(count);
    }
  } catch (const std::exception& error) {
    world->abort(1, error.what());
  }
  return 0;
}
