#include "network/network.h"

#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

using Names = std::vector<std::string>;

const std::string kData = R"(
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
)";

TEST(Network, FeedForward) {
  const auto network = network_of(kData + R"(
network = {
    "fw1": {"class": "linear", "activation": "relu", "n_out": 6, "from": "data"},
    "unused": {"class": "linear", "activation": "relu", "n_out": 6, "from": "data"},
    "#comment": {"class": "nonsense"},
    "output": {"class": "softmax", "loss": "ce", "from": ["fw1"]}}
)");
  EXPECT_EQ(param_list(*network), (Names{"fw1/W[4,6]", "fw1/b[6]", "output/W[6,5]", "output/b[5]"}));
  EXPECT_EQ(layer_names(*network), (Names{"fw1", "output"}));
  EXPECT_EQ(network->unreached_layers(), Names{"unused"});
  EXPECT_EQ(network->used_data_keys(), (Names{"data", "classes"}));
  ASSERT_EQ(network->losses().size(), 1u);
  EXPECT_EQ(network->losses()[0].name, "output");
  EXPECT_TRUE(network->objective().defined());
  EXPECT_FALSE(network->constraints().defined());
  EXPECT_FALSE(network->has_recurrent_layer());
  ASSERT_NE(network->default_output_layer(), nullptr);
  EXPECT_EQ(network->default_output_layer()->name, "output");
  const Data& out = network->find_layer("output")->output.data;
  EXPECT_EQ(out.batch_axis(), 0);
  EXPECT_EQ(out.time_axis, 1);
  EXPECT_EQ(out.dims[2].size(), 5);
  EXPECT_EQ(out.time_dim().name(), "time:var:extern_data:data");
}

TEST(Network, OutputFlags) {
  const std::string source = kData + R"(
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "kept": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "a", "is_output_layer": True},
    "ev": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes", "only_on_eval": True},
    "se": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes", "only_on_search": True},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes", "loss_scale": 0}}
)";
  const auto network = network_of(source, {.train = true});
  EXPECT_EQ(layer_names(*network), (Names{"a", "ev", "kept", "output"}));
  ASSERT_EQ(network->losses().size(), 2u);
  EXPECT_FALSE(network->losses()[1].objective.defined());
  EXPECT_TRUE(network->losses()[1].value.defined());
  const auto forward = network_of(source, {.train = false, .eval = false});
  EXPECT_EQ(layer_names(*forward), (Names{"a", "kept", "output"}));
  EXPECT_TRUE(forward->losses().empty());
  EXPECT_EQ(forward->used_data_keys(), Names{"data"});
}

TEST(Network, SizeFromTarget) {
  const auto network = network_of(R"(
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}, "aux": {"dim": 3}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6},
    "b": {"class": "linear", "activation": "sigmoid", "target": "aux", "from": "a"},
    "mse": {"class": "linear", "activation": None, "from": ["data"], "loss": "mse", "target": "aux"},
    "output": {"class": "softmax", "from": ["a", "b"], "loss": "ce", "target": "classes"}}
)");
  EXPECT_EQ(param_list(*network), (Names{"a/W[5,6]", "a/b[6]", "b/W[6,3]", "b/b[3]", "mse/W[5,3]", "mse/b[3]",
                                         "output/W[9,4]", "output/b[4]"}));
}

TEST(Network, SharedParameters) {
  const auto network = network_of(kData + R"(
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "b": {"class": "linear", "activation": "relu", "n_out": 4, "from": "a", "reuse_params": "a"},
    "c": {"class": "linear", "activation": "relu", "n_out": 4, "from": "b", "reuse_params": {"map": {"W": {"reuse_layer": "a"}, "b": None}}},
    "d": {"class": "linear", "activation": "relu", "n_out": 4, "from": "c", "name_scope": "other"},
    "e": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "d", "name_scope": "/a"},
    "r1": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "e"},
    "r2": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "d", "reuse_params": "r1"},
    "output": {"class": "softmax", "loss": "ce", "from": ["r1", "r2"], "target": "classes"}}
)");
  EXPECT_EQ(param_list(*network), (Names{"a/W[4,4]", "a/b[4]", "c/b[4]", "other/W[4,4]", "other/b[4]", "output/W[4,5]",
                                         "output/b[5]", "r1/rec/W[4,8]", "r1/rec/W_re[2,8]", "r1/rec/b[8]"}));
  EXPECT_TRUE(network->find_layer("b")->params.empty());
  EXPECT_EQ(network->find_layer("c")->params, Names{"c/b"});
  EXPECT_TRUE(network->has_recurrent_layer());
}

TEST(Network, TrainableThroughParents) {
  const auto network = network_of(kData + R"(
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "trainable": False, "L2": 0.1},
    "sub": {"class": "subnetwork", "from": "a", "trainable": False, "subnetwork": {
        "output": {"class": "linear", "activation": None, "n_out": 6, "from": "data"}}},
    "output": {"class": "softmax", "loss": "ce", "from": "sub", "target": "classes"}}
)");
  EXPECT_EQ(param_list(*network),
            (Names{"a/W[4,6]!", "a/b[6]!", "output/W[6,5]", "output/b[5]", "sub/output/W[6,6]!", "sub/output/b[6]!"}));
  EXPECT_TRUE(network->constraints().defined());
  EXPECT_DOUBLE_EQ(network->l2("a/W"), 0.1);
  EXPECT_DOUBLE_EQ(network->l2("output/W"), 0.0);
}

TEST(Network, Subnetwork) {
  const auto network = network_of(kData + R"(
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "side": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "sub": {"class": "subnetwork", "from": "a", "subnetwork": {
        "x": {"class": "linear", "activation": "relu", "n_out": 5, "from": ["data", "base:side"], "L2": 0.1},
        "aux": {"class": "softmax", "from": "x", "loss": "ce", "target": "classes", "loss_scale": 0.5},
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "x"}}},
    "inner": {"class": "copy", "from": "sub/x"},
    "output": {"class": "softmax", "from": ["sub", "inner"], "loss": "ce", "target": "classes"}}
)");
  EXPECT_EQ(param_list(*network),
            (Names{"a/W[4,6]", "a/b[6]", "output/W[9,5]", "output/b[5]", "side/W[4,3]", "side/b[3]", "sub/aux/W[5,5]",
                   "sub/aux/b[5]", "sub/output/W[5,4]", "sub/output/b[4]", "sub/x/W[9,5]", "sub/x/b[5]"}));
  EXPECT_EQ(layer_names(*network), (Names{"a", "inner", "output", "side", "sub", "sub/aux", "sub/output", "sub/x"}));
  ASSERT_EQ(network->losses().size(), 2u);
  EXPECT_EQ(network->losses()[0].name, "sub/aux");
  EXPECT_DOUBLE_EQ(network->losses()[0].scale, 0.5);
  EXPECT_TRUE(network->unreached_layers().empty());
}

TEST(Network, DirectionsShareOneDropoutMask) {
  const auto network = network_of(kData + R"(
network = {
    "fw": {"class": "rec", "unit": "lstm", "n_out": 3, "direction": 1, "dropout": 0.1, "from": "data"},
    "bw": {"class": "rec", "unit": "lstm", "n_out": 3, "direction": -1, "dropout": 0.1, "from": "data"},
    "other": {"class": "linear", "activation": None, "n_out": 3, "dropout": 0.2, "from": "data"},
    "output": {"class": "softmax", "loss": "ce", "from": ["fw", "bw", "other"]}}
)",
                                  {.train = true});
  const std::string graph = network->graph().str();
  size_t masks = 0;
  for (size_t at = graph.find("dropout_mask"); at != std::string::npos; at = graph.find("dropout_mask", at + 1)) {
    ++masks;
  }
  EXPECT_EQ(masks, 2u) << graph;
}

TEST(Network, RegisterAsExternData) {
  const auto network = network_of(kData + R"(
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data", "register_as_extern_data": "enc_ext"},
    "x": {"class": "linear", "activation": "relu", "n_out": 7, "from": "data:enc_ext"},
    "output": {"class": "softmax", "loss": "ce", "from": "x", "target": "classes"}}
)");
  EXPECT_EQ(param_list(*network)[2], "output/W[7,5]");
  EXPECT_EQ(param_list(*network)[4], "x/W[8,7]");
  EXPECT_EQ(network->used_data_keys(), (Names{"data", "classes"}));
}

}  // namespace
}  // namespace wende
