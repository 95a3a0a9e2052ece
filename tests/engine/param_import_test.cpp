/// custom_param_importer: what parameters of other shapes take from a model. The corners are counted by hand.
#include "engine/param_import.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "config/config.h"

namespace wende {
namespace {

std::unique_ptr<Network> network_with(const std::string& mode) {
  const Config config = Config::from_source(R"(
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {
    "lin": {"class": "linear", "activation": None, "n_out": 2, "from": "data", "custom_param_importer": ")" +
                                                mode + R"("},
    "cell": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "lin", "custom_param_importer": ")" +
                                                mode + R"("},
    "output": {"class": "softmax", "from": "cell", "loss": "ce", "target": "classes"}}
)",
                                            "test.config");
  return Network::build(config, ExternData::from_config(config), {});
}

/// start, start + 1, ...
Tensor counted(const Shape& shape, float start) {
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (float& value : values) value = start++;
  return Tensor::of<float>(values, shape);
}

TEST(ParamImport, ModesByLayer) {
  const auto network = network_with("subset");
  const ParamImport import(*network);
  EXPECT_EQ(import.mode("lin/W"), "subset");
  EXPECT_EQ(import.mode("cell/rec/W_re"), "subset");
  EXPECT_EQ(import.mode("output/W"), "");
}

TEST(ParamImport, SubsetTakesTheCorner) {
  const auto network = network_with("subset");
  const ParamImport import(*network);
  const Tensor stored = counted({2, 4}, 0);
  EXPECT_EQ(import.value("lin/W", counted({3, 2}, 100), &stored).to_vector<float>(),
            (std::vector<float>{0, 1, 4, 5, 104, 105}));
  const Tensor same = counted({3, 2}, 0);
  EXPECT_EQ(import.value("lin/W", counted({3, 2}, 100), &same).to_vector<float>(), same.to_vector<float>());
  EXPECT_EQ(import.value("lin/W", counted({3, 2}, 100), nullptr).to_vector<float>(),
            counted({3, 2}, 100).to_vector<float>());
}

TEST(ParamImport, SubsetOfACellGoesGateByGate) {
  const auto network = network_with("subset");
  const ParamImport import(*network);
  const Tensor bias = counted({4}, 0);  // of a cell with one unit
  EXPECT_EQ(import.value("cell/rec/b", counted({8}, 100), &bias).to_vector<float>(),
            (std::vector<float>{0, 101, 1, 103, 2, 105, 3, 107}));
  const Tensor recurrent = counted({1, 4}, 0);
  EXPECT_EQ(import.value("cell/rec/W_re", counted({2, 8}, 100), &recurrent).to_vector<float>(),
            (std::vector<float>{0, 101, 1, 103, 2, 105, 3, 107, 108, 109, 110, 111, 112, 113, 114, 115}));
}

TEST(ParamImport, IfPossibleAndReset) {
  const Tensor other = counted({2, 4}, 0);
  const Tensor same = counted({3, 2}, 0);
  const Tensor own = counted({3, 2}, 100);
  const auto if_possible = network_with("ifpossible");
  EXPECT_EQ(ParamImport(*if_possible).value("lin/W", own, &other).to_vector<float>(), own.to_vector<float>());
  EXPECT_EQ(ParamImport(*if_possible).value("lin/W", own, &same).to_vector<float>(), same.to_vector<float>());
  const auto reset = network_with("reset");
  EXPECT_EQ(ParamImport(*reset).value("lin/W", own, &same).to_vector<float>(), own.to_vector<float>());
}

TEST(ParamImport, OtherRanksAreRefused) {
  const auto network = network_with("subset");
  const Tensor stored = counted({4}, 0);
  EXPECT_THROW(ParamImport(*network).value("lin/W", counted({3, 2}, 100), &stored), Error);
}

}  // namespace
}  // namespace wende
