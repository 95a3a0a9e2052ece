// Run by mpirun with 1, 2 and 3 ranks: exits 0 if every check holds, 1 otherwise; `mpi_program abort` must exit
// with 66. `size N share`: and sums go through shared memory.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "collective/gradient_buckets.h"

namespace wende {
namespace {

Communicator* world = nullptr;
bool must_share = false;

void require(bool holds, const char* what) {
  if (!holds) world->abort(1, fmt::format("check failed: {}", what));
}

void check_sums(size_t count) {
  const int n = world->size();
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>((world->rank() + 1) * static_cast<int>(i % 7));
  std::vector<float> later = values;
  auto pending = world->start_all_sum(later.data(), later.size());
  world->all_sum(values.data(), values.size());
  pending->wait();
  require(pending->done(), "done after wait");
  const float ranks = static_cast<float>(n * (n + 1) / 2);
  for (size_t i = 0; i < count; ++i) {
    require(values[i] == ranks * static_cast<float>(i % 7), "all_sum");
    require(later[i] == values[i], "start_all_sum");
  }
}

void check_messages() {
  const int n = world->size();
  int64_t largest[2] = {world->rank(), -world->rank()};
  world->all_max(largest, 2);
  require(largest[0] == n - 1 && largest[1] == 0, "all_max");
  double sum = 0.5;
  world->all_sum(&sum, 1);
  require(sum == 0.5 * n, "all_sum of doubles");
  require(world->broadcast_string(world->is_root() ? "hello" : "", 0) == "hello", "broadcast_string");
  std::string last = world->broadcast_string(fmt::format("rank {}", world->rank()), n - 1);
  require(last == fmt::format("rank {}", n - 1), "broadcast_string from the last rank");
  auto all = world->gather(std::string(static_cast<size_t>(world->rank()) * 1000, 'x'));
  require(all.size() == (world->is_root() ? static_cast<size_t>(n) : 0u), "gather: number of texts");
  for (size_t i = 0; i < all.size(); ++i) require(all[i].size() == i * 1000, "gather: sizes in rank order");
  require(!world->host_name().empty() && !world->description().empty(), "names");
  world->barrier();
}

float* memory_for_sums(size_t floats) {
  return reinterpret_cast<float*>(world->memory_for_sums(floats * sizeof(float)));
}

/// Sums in memory for sums, several under way at a time, ranks late by turns: the right numbers, with the same bits on
/// all ranks and in every round, although the order of the additions matters.
void check_sums_in_shared_memory() {
  constexpr size_t kFloats = 3000000;
  const std::vector<size_t> ends = {1, 5000, 70000, 1500000, kFloats};
  float* values = memory_for_sums(kFloats);
  if (values == nullptr) {
    require(!must_share, "memory for sums");
    return;
  }
  require(reinterpret_cast<uintptr_t>(values) % 64 == 0, "memory for sums begins at a cache line");
  require(!must_share || world->sums().find("in shared memory") == 0, "way of the sums");
  std::vector<float> first;
  for (int round = 0; round < 4; ++round) {
    if (round == world->rank()) ::usleep(20000);
    double exact = 0;
    for (int rank = 0; rank < world->size(); ++rank) exact += 1.0 / (3.0 + rank);
    for (size_t i = 0; i < kFloats; ++i) {
      values[i] = static_cast<float>(static_cast<double>(i % 1000) / (3.0 + world->rank()));
    }
    std::vector<std::unique_ptr<PendingSum>> sums;
    size_t begin = 0;
    for (size_t end : ends) {
      sums.push_back(world->start_all_sum(values + begin, end - begin));
      begin = end;
    }
    for (auto& sum : sums) sum->wait();
    for (size_t i = 0; i < kFloats; ++i) {
      const double want = exact * static_cast<double>(i % 1000);
      require(std::abs(values[i] - want) <= 1e-6 * want, "sum in shared memory");
    }
    const std::vector<float> got(values, values + kFloats);
    if (round == 0) first = got;
    require(got == first, "the same bits in each round");
    std::vector<float> of_root = got;
    world->broadcast(of_root.data(), kFloats * sizeof(float));
    require(of_root == got, "the same bits on all ranks");
  }
}

/// Every rank finishes its parameters in another order; the sums must fit all the same.
void check_buckets(bool in_memory_for_sums) {
  const std::vector<size_t> counts = {300, 5, 1000, 70, 1};
  std::vector<size_t> offsets;
  size_t end = 0;
  for (size_t count : counts) {
    offsets.push_back(end);
    end += (count + 15) / 16 * 16;
  }
  end = offsets.back() + counts.back();
  const size_t floats = end + 64;
  std::vector<float> own(floats);
  float* shared = in_memory_for_sums ? memory_for_sums(floats) : nullptr;
  float* buffer = shared != nullptr ? shared : own.data();
  GradientBuckets buckets(*world, buffer, offsets, counts, 64, 1200);
  require(buckets.bucket_count() >= 2, "several buckets");
  for (int step = 0; step < 3; ++step) {
    buckets.begin_step();
    std::fill_n(buffer, floats, 0.0f);
    for (size_t turn = 0; turn < counts.size(); ++turn) {
      size_t param = (turn + static_cast<size_t>(world->rank())) % counts.size();
      if (step == 2 && param == 1) continue;  // a parameter without gradient
      for (size_t i = 0; i < counts[param]; ++i) buffer[offsets[param] + i] = static_cast<float>(param + i);
      buckets.ready(param);
    }
    for (size_t i = end; i < floats; ++i) buffer[i] = 1;
    buckets.finish();
    for (size_t param = 0; param < counts.size(); ++param) {
      for (size_t i = 0; i < counts[param]; ++i) {
        float expected =
            step == 2 && param == 1 ? 0 : static_cast<float>(param + i) * static_cast<float>(world->size());
        require(buffer[offsets[param] + i] == expected, "bucket sum");
      }
    }
    for (size_t i = end; i < floats; ++i) require(buffer[i] == static_cast<float>(world->size()), "extra floats");
  }
}

}  // namespace
}  // namespace wende

int main(int argc, char** argv) {
  try {
    auto communicator = wende::Communicator::detect(&argc, &argv);
    wende::world = communicator.get();
    if (argc > 2 && std::string(argv[1]) == "size") {
      wende::require(communicator->size() == std::atoi(argv[2]), "number of ranks");
    }
    wende::must_share = argc > 3 && std::string(argv[3]) == "share";
    if (argc > 1 && std::string(argv[1]) == "abort") {
      if (communicator->rank() == communicator->size() - 1) communicator->abort(66, "abort asked for");
      communicator->barrier();
    }
    for (size_t count : {size_t{1}, size_t{2}, size_t{6}, size_t{17}, size_t{100000}, size_t{3000000}})
      wende::check_sums(count);
    wende::check_messages();
    wende::check_buckets(false);
    wende::check_buckets(true);
    wende::check_sums_in_shared_memory();
    if (communicator->is_root()) {
      fmt::print("ok: {} ranks, {}, sums {}\n", communicator->size(), communicator->description(),
                 communicator->sums());
    }
  } catch (const wende::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.status());
  }
  return 0;
}
