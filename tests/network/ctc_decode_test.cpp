/// edit_distance with ctc_decode, which RETURNN 1.2026 cannot build with TensorFlow 2.15 (its own types differ): the
/// same number as the error of the loss ctc in evaluation, which golden cases hold.
#include <gtest/gtest.h>

#include <cmath>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

TEST(CtcDecode, IsTheErrorOfCtc) {
  const auto network = network_of(R"(
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "ctc": {"class": "activation", "activation": "softmax", "from": "data", "loss": "ctc", "target": "classes"},
    "distance": {"class": "copy", "from": "ctc", "loss": "edit_distance", "target": "classes", "loss_opts": {"ctc_decode": True}},
    "output": {"class": "copy", "from": "ctc"}}
)");
  std::map<std::string, Expr> errors;
  for (const NetworkLoss& loss : network->losses()) {
    errors[loss.name] = loss.error;
  }
  ASSERT_EQ(errors.size(), 2u);
  Executor executor(network->graph(), {{errors.at("ctc"), {}}, {errors.at("distance"), {}}});
  const auto& keys = network->extern_data().keys;
  constexpr int64_t kTime = 9;
  int different = 0;
  for (int draw = 0; draw < 20; ++draw) {
    std::vector<float> scores;
    for (int i = 0; i < 2 * kTime * 4; ++i) {
      scores.push_back(static_cast<float>(std::sin(1.7 * i * i + draw * 5.3) * 4));
    }
    Binding binding;
    binding.bind(keys.at("data").dims[0], 2);
    binding.bind_lengths(keys.at("data").dims[1], {9, 6});
    binding.bind_lengths(keys.at("classes").dims[1], {3, 2});
    executor.bind("data:data", Tensor::of<float>(scores, {2, kTime, 4}));
    executor.bind("data:classes", Tensor::of<int32_t>({0, 1, 2, 2, 0, 0}, {2, 3}));
    const auto values = executor.run(binding);
    EXPECT_EQ(values[0].data<float>()[0], values[1].data<float>()[0]) << "draw " << draw;
    different += values[0].data<float>()[0] > 0 ? 1 : 0;
  }
  EXPECT_GT(different, 10);
}

}  // namespace
}  // namespace wende
