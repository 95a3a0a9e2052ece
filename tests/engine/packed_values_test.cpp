#include <gtest/gtest.h>

#include "engine/trained_network.h"

namespace wende {
namespace {

/// A recurrent layer of 64 units, wide beside its input and output.
std::string config_of(const std::string& unit) {
  return R"(
num_inputs = 4
num_outputs = {"data": [4, 2], "classes": [5, 1]}
network = {
  "a": {"class": "rec", "unit": ")" +
         unit + R"(", "n_out": 64, "from": "data"},
  "output": {"class": "softmax", "loss": "ce", "from": "a"}}
)";
}

int64_t planned_bytes(test::TrainedNetwork& net, const std::vector<int32_t>& lengths) {
  net.run(test::random_batch(lengths, 4, 5));
  return static_cast<int64_t>(net.executor().arena_bytes());
}

struct Unit {
  const char* name;
  int64_t floats_per_frame;  ///< that backward needs and no layer sees
};

class PackedValues : public testing::TestWithParam<Unit> {};

/// What a recurrent unit keeps for its gradient takes memory for real frames only.
TEST_P(PackedValues, PaddingTakesNoMemoryForGates) {
  test::TrainedNetwork net(config_of(GetParam().name), /*train=*/true);
  const int64_t full = planned_bytes(net, {50, 50, 50, 50});
  const int64_t padded = planned_bytes(net, {50, 10, 10, 10});
  const int64_t padding_frames = 3 * 40;
  const int64_t alignment = 1024;
  EXPECT_GE(full - padded, padding_frames * GetParam().floats_per_frame * 4 - alignment);
}

TEST_P(PackedValues, AStepFollowsTheBatch) {
  test::TrainedNetwork net(config_of(GetParam().name));
  const Batch one = test::random_batch({9, 4, 1}, 4, 5);
  const Batch other = test::random_batch({9, 8, 2}, 4, 5);  // the same sizes, other frames
  const double loss = net.run(one).loss;
  const double loss_of_other = net.run(other).loss;
  EXPECT_NE(loss, loss_of_other);
  EXPECT_EQ(net.run(one).loss, loss);
  EXPECT_EQ(net.run(other).loss, loss_of_other);
}

INSTANTIATE_TEST_SUITE_P(Units, PackedValues,
                         testing::Values(Unit{"lstm", 5 * 64}, Unit{"gru", 3 * 64}, Unit{"basicrnn", 64}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace wende
