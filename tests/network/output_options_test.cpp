#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

const std::string kData =
    "from returnn.tensor import *\n"
    "extern_data = {'data': {'dim': 6}, 'classes': {'dim': 3, 'sparse': True}}\n"
    "out = FeatureDim('out', 4)\n";

const std::string kOutput = "'output': {'class': 'softmax', 'loss': 'ce', 'from': 'x'}}\n";

std::string layers(const std::string& x) { return kData + "network = {'x': {'from': 'data', " + x + "},\n" + kOutput; }

TEST(ExternDataTags, SharedBetweenKeys) {
  const Config config = Config::from_source(R"(
from returnn.tensor import *
time, feature = SpatialDim("time"), FeatureDim("feature", 5)
extern_data = {"data": {"dim_tags": [batch_dim, time, feature]},
               "classes": {"dims": (batch_dim, time), "sparse_dim": FeatureDim("labels", 3)},
               "aux": {"dim": 2, "same_dim_tags_as": {"t": time}},
               "time_major": {"dims": [time, batch_dim, feature], "feature_dim": feature, "time_dim": time},
               "vector": {"shape": (5,), "batch_dim_axis": None, "time_dim_axis": None, "feature_dim_axis": 0},
               "square": {"dim": None}}
)",
                                            "test.config");
  const ExternData data = ExternData::from_config(config);
  const Data& dense = data.keys.at("data");
  EXPECT_EQ(dense.rank(), 3);
  EXPECT_EQ(dense.feature_axis, 2);
  EXPECT_TRUE(data.keys.at("classes").sparse());
  EXPECT_EQ(data.keys.at("classes").sparse_dim.size(), 3);
  for (const char* key : {"classes", "aux", "time_major"}) {
    EXPECT_TRUE(data.keys.at(key).time_dim() == dense.time_dim()) << key;
  }
  EXPECT_EQ(data.keys.at("time_major").batch_axis(), 1);
  EXPECT_FALSE(data.keys.at("vector").has_batch());
  EXPECT_EQ(data.keys.at("square").feature_axis, 2);
  EXPECT_TRUE(data.keys.at("square").dims[2].is_dynamic());
}

TEST(OutputOptions, OutDimNamesTheFeature) {
  const auto network = network_of(layers("'class': 'linear', 'activation': None, 'out_dim': out") +
                                  "network['y'] = {'class': 'reduce', 'mode': 'mean', 'axis': out, 'from': 'x', "
                                  "'is_output_layer': True}\n");
  EXPECT_EQ(network->find_layer("x")->output.data.feature_or_sparse_dim().size(), 4);
  EXPECT_EQ(network->find_layer("y")->output.data.rank(), 2);
  EXPECT_NE(build_error(layers("'class': 'copy', 'out_dim': out")).find("does not fit"), std::string::npos);
}

TEST(OutputOptions, OutShapeIsVerified) {
  const std::string x = "'class': 'linear', 'activation': None, 'out_dim': out, 'out_shape': ";
  const std::string tagged =
      "from returnn.tensor import *\ntime, out = SpatialDim('time'), FeatureDim('out', 4)\n"
      "extern_data = {'data': {'dim_tags': [batch_dim, time, FeatureDim('f', 6)]}, "
      "'classes': {'dim_tags': [batch_dim, time], 'sparse_dim': FeatureDim('c', 3)}}\n";
  const auto error = [&](const std::string& shape) {
    return build_error(tagged + "network = {'x': {'from': 'data', " + x + shape + "},\n" + kOutput);
  };
  EXPECT_EQ(error("{batch_dim, time, out}"), "");
  EXPECT_EQ(error("{batch_dim, time, out, OptionalDim(SpatialDim('other'))}"), "");
  EXPECT_NE(error("{batch_dim, time}").find("does not have the axis"), std::string::npos);
  EXPECT_NE(error("{batch_dim, time, out, SpatialDim('other')}").find("is not in the output"), std::string::npos);
}

TEST(OutputOptions, OutTypeMustAgreeOrDescribes) {
  EXPECT_NE(build_error(layers("'class': 'copy', 'out_type': {'dim': 5}")).find("out_type['dim'] is 5"),
            std::string::npos);
  EXPECT_NE(build_error(layers("'class': 'copy', 'out_type': {'dimm': 5}")).find("did you mean 'dim'"),
            std::string::npos);
  EXPECT_EQ(build_error(layers("'class': 'copy', 'out_type': {'dim': 6, 'shape': (None, 6)}")), "");
  const auto network = network_of(
      kData +
      "from returnn.tf.util.data import Data\n"
      "network = {'x': {'class': 'eval', 'from': 'data', 'eval': 'tf.reduce_sum(source(0), axis=2)',\n"
      "  'out_type': lambda sources, **kwargs: Data(name='x', shape=(None,), time_dim_axis=1), 'is_output_layer': "
      "True},\n"
      "'y': {'class': 'eval', 'from': 'data', 'eval': 'tf.argmax(source(0), axis=2)', 'is_output_layer': True,\n"
      "  'out_type': {'sparse': True, 'dim': 6, 'shape': (None,)}}}\n");
  const Data& x = network->find_layer("x")->output.data;
  EXPECT_EQ(x.rank(), 2);
  EXPECT_TRUE(x.time_dim() == network->extern_data().keys.at("data").time_dim());
  EXPECT_TRUE(network->find_layer("y")->output.data.sparse());
}

TEST(OutputOptions, WhatFunctionsOfOutTypeLackIsAnError) {
  const auto error = [](const std::string& eval, const std::string& type) {
    return build_error(layers("'class': 'eval', 'eval': '" + eval + "', 'out_type': " + type));
  };
  EXPECT_EQ(error("source(0)", "lambda sources, **_: sources[0].output.copy_template()"), "");
  const std::string unknown = error("source(0)", "lambda sources, **_: sources[0].output.copy_of_something()");
  EXPECT_NE(unknown.find("Data has no 'copy_of_something' in Wende; it has"), std::string::npos) << unknown;
  EXPECT_NE(error("source(0)", "lambda sources, **_: 5").find("must return a Data"), std::string::npos);
  EXPECT_NE(error("source(0, auto_konvert=False)", "{}").find("did you mean 'auto_convert'"), std::string::npos);
  EXPECT_NE(error("source(0)", "{'dtype': 'float16'}").find("'float16' is not supported"), std::string::npos);
  EXPECT_NE(error("source(0)", "{'dims': [3]}").find("dims must be dim tags, got 3"), std::string::npos);
}

TEST(OutputOptions, RangesOfGeneralOptions) {
  const auto error = [](const std::string& option) { return build_error(layers("'class': 'copy', " + option)); };
  EXPECT_NE(
      error("'param_dropout': 1.5").find("['param_dropout']: param_dropout must be 0 <= param_dropout < 1, got 1.5"),
      std::string::npos);
  EXPECT_NE(error("'param_variational_noise': -1").find("standard deviation, >= 0, got -1"), std::string::npos);
  EXPECT_NE(error("'name_scope': 'a/'").find("must not end with a \"/\", got 'a/'"), std::string::npos);
  EXPECT_EQ(error("'name_scope': '/a', 'param_dropout': 0.5, 'param_variational_noise': 0"), "");
}

TEST(OutputOptions, AnUnknownLayerIsPlacedAtTheOptionThatNamesIt) {
  const auto error = [](const std::string& options) { return build_error(layers(options)); };
  EXPECT_NE(error("'class': 'scaled_grad', 'scale': 'nothing'").find("network['x']['scale']: layer 'nothing' not"),
            std::string::npos);
  EXPECT_NE(error("'class': 'hdf_dump', 'filename': 'f', 'extra': {'a': 'nothing'}").find("network['x']['extra']['a']"),
            std::string::npos);
}

TEST(OutputOptions, LastOutputNeedsALoop) {
  const auto error = [](const std::string& options) {
    return build_error(kData +
                       "network = {'loop': {'class': 'rec', 'from': 'data', 'unit': {\n"
                       "  'y': {'class': 'copy', 'from': 'data:source', 'need_last': True},\n"
                       "  'output': {'class': 'copy', 'from': 'y'}}},\n"
                       "'x': {'class': 'rec_last_output', 'is_output_layer': True, " +
                       options + "}}\n");
  };
  EXPECT_EQ(error("'rec_layer': 'loop', 'sub_layer_name': 'y'"), "");
  EXPECT_NE(error("'rec_layer': 'loop'").find("needs 'rec_layer' and 'sub_layer_name'"), std::string::npos);
  EXPECT_NE(error("'rec_layer': 'data', 'sub_layer_name': 'y'").find("needs a rec layer with a unit"),
            std::string::npos);
  EXPECT_NE(error("'rec_layer': 'loop', 'sub_layer_name': 'z'").find("'z'"), std::string::npos);
}

TEST(OutputOptions, InDimSelectsTheFeatureAxis) {
  const std::string data =
      "from returnn.tensor import *\nheight, width = FeatureDim('h', 4), FeatureDim('w', 5)\n"
      "extern_data = {'data': {'dim_tags': [batch_dim, SpatialDim('time'), height, width]}}\n"
      "network = {'output': {'class': 'linear', 'activation': None, 'n_out': 3, 'from': 'data', 'in_dim': ";
  const auto network = network_of(data + "height}}\n");
  EXPECT_EQ(param_list(*network), (std::vector<std::string>{"output/W[4,3]", "output/b[3]"}));
  EXPECT_NE(build_error(data + "FeatureDim('other', 4)}}\n").find("is not an axis of the input"), std::string::npos);
}

TEST(OutputOptions, WrongTypesAreNamedTogether) {
  const std::string error =
      build_error(layers("'class': 'linear', 'activation': None, 'n_out': 4, 'L2': '0.1', 'only_on_eval': 'yes', "
                         "'collocate_with': 3, 'out_dim': 5, 'rec_previous_layer': 'x', 'custom_param_importer': 1"));
  for (const char* option :
       {"L2", "only_on_eval", "collocate_with", "out_dim", "rec_previous_layer", "custom_param_importer"}) {
    EXPECT_NE(error.find("['" + std::string(option) + "']"), std::string::npos) << option << " in " << error;
  }
  EXPECT_NE(build_error(layers("'class': 'copy', 'copy_output_loss_from_source_idx': 1")).find("has 1 source"),
            std::string::npos);
}

}  // namespace
}  // namespace wende
