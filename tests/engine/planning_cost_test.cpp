#include <gtest/gtest.h>

#include <ctime>

#include "engine/trained_network.h"

namespace wende {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Every step has sizes of its own, so that every step is planned anew. CPU
/// seconds: other processes do not count.
TEST(PlanningCost, IsBelowTwoPercentOfASmallStep) {
  test::TrainedNetwork net(R"(
num_inputs = 40
num_outputs = {"data": [40, 2], "classes": [100, 1]}
network = {
  "f0": {"class": "rec", "unit": "lstm", "n_out": 200, "dropout": 0.1, "from": "data"},
  "b0": {"class": "rec", "unit": "lstm", "n_out": 200, "dropout": 0.1, "direction": -1, "from": "data"},
  "output": {"class": "softmax", "loss": "ce", "from": ["f0", "b0"]}}
)",
                           true);
  net.run(test::random_batch({80, 60, 40, 30}, 40, 100));
  const double planned = net.executor().planning_seconds();
  double total = 0;
  for (int32_t step = 0; step < 5; ++step) {
    const Batch batch = test::random_batch({60 + step, 50, 41, 30}, 40, 100);
    const double start = cpu_seconds();
    net.run(batch);
    total += cpu_seconds() - start;
  }
  EXPECT_LT(net.executor().planning_seconds() - planned, 0.02 * total);
}

}  // namespace
}  // namespace wende
