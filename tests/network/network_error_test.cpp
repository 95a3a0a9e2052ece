#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

const std::string kData = "extern_data = {'data': {'dim': 9}, 'classes': {'dim': 2, 'sparse': True}}\n";

std::string error_of(const std::string& layers) { return build_error(kData + "network = {\n" + layers + "}\n"); }

void expect(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "missing: " << part << "\nin: " << message;
  }
  EXPECT_EQ(message.find("DEPENDENT"), std::string::npos) << message;
}

const std::string kOutput = "'output': {'class': 'softmax', 'loss': 'ce', 'from': 'fw'},\n";

TEST(NetworkError, WholeNetwork) {
  expect(build_error(kData), {"no 'network'"});
  expect(build_error(kData + "network = []\n"), {"test.config:2", "network must be a dict, got list"});
  expect(error_of("'fw0': 'linear'"), {"test.config:3", "network['fw0']", "must be a dict, got str"});
}

TEST(NetworkError, Classes) {
  expect(error_of("'output': {'class': 'recc', 'from': 'data'}"),
         {"test.config:3", "unknown layer class 'recc'", "did you mean 'rec'?"});
  expect(error_of("'output': {'class': 'twod_lstm', 'from': 'data'}"),
         {"'twod_lstm' is known in RETURNN but not supported by Wende"});
  expect(error_of("'output': {'class': 'rec', 'unit': {}, 'from': 'data'}"),
         {"the unit of layer 'output' has no layer"});
  expect(error_of("'output': {'from': 'data'}"), {"layer 'output'", "class is required"});
}

TEST(NetworkError, Options) {
  expect(error_of("'output': {'class': 'linear', 'drop_out': 0.1, 'n_out': 3, 'from': 'data'}"),
         {"network['output']['drop_out']", "drop_out", "layer class 'linear'", "did you mean 'dropout'?"});
  expect(error_of("'output': {'class': 'linear', 'dropout': 1.5, 'n_out': 3, 'from': 'data'}"),
         {"0 <= dropout < 1", "1.5"});
  expect(error_of("'output': {'class': 'linear', 'n_out': -10, 'from': 'data'}"), {"n_out must be > 0, got -10"});
  expect(error_of("'output': {'class': 'linear', 'n_out': '10', 'from': 'data'}"),
         {"network['output']['n_out']", "str"});
  expect(error_of("'output': {'class': 'linear', 'n_out': 3, 'trainable': 'no', 'from': 'data'}"), {"['trainable']"});
  expect(error_of("'output': {'class': 'softmax', 'loss': 'cee', 'from': 'data'}"), {"unknown loss 'cee'", "ce"});
  expect(error_of("'output': {'class': 'softmax', 'loss': 'ce', 'loss_opts': {'bogus': 1}, 'from': 'data'}"),
         {"bogus", "loss 'ce'"});
  expect(error_of("'output': {'class': 'linear', 'n_out': 3, 'batch_norm': {'momentun': 0.1}, 'from': 'data'}"),
         {"'momentun'", "momentum"});
}

TEST(NetworkError, Names) {
  expect(error_of("'fw0': {'class': 'linear', 'n_out': 3, 'from': 'data'},\n" + kOutput),
         {"test.config:4", "layer 'fw' not found", "did you mean 'fw0'?", "in layer 'output' (class softmax)"});
  expect(error_of("'fw': {'class': 'linear', 'n_out': 3, 'from': 'data:klasses'},\n" + kOutput),
         {"unknown data key 'klasses'", "'classes', 'data'", "did you mean 'classes'?"});
  expect(error_of("'output': {'class': 'softmax', 'loss': 'ce', 'from': 'data', 'target': 'klasses'}"),
         {"unknown data key 'klasses'"});
  expect(error_of("'fw': {'class': 'linear', 'n_out': 3, 'from': 'prev:fw'},\n" + kOutput),
         {"prefix prev: only inside a rec layer's subnetwork"});
  expect(error_of("'fw': {'class': 'linear', 'n_out': 3, 'from': 'base:fw'},\n" + kOutput), {"prefix base:"});
}

TEST(NetworkError, Cycle) {
  expect(error_of("'fw': {'class': 'linear', 'n_out': 3, 'from': 'x'},\n'x': {'class': 'copy', 'from': 'output'},\n" +
                  kOutput),
         {"output -> fw -> x -> output"});
}

TEST(NetworkError, Sizes) {
  expect(error_of("'fw': {'class': 'linear', 'activation': None, 'from': 'data'},\n" + kOutput),
         {"n_out missing and cannot be derived"});
  expect(error_of("'output': {'class': 'softmax', 'n_out': 5, 'loss': 'ce', 'from': 'data'}"),
         {"5", "2", "data:classes"});
  expect(error_of("'a': {'class': 'linear', 'activation': None, 'n_out': 3, 'from': 'data'},\n"
                  "'fw': {'class': 'linear', 'activation': None, 'n_out': 3, 'from': 'a', 'reuse_params': 'a'},\n" +
                  kOutput),
         {"'a/W'", "[9,3]", "[3,3]"});
  expect(error_of("'sub': {'class': 'subnetwork', 'from': 'data', 'is_output_layer': True, 'subnetwork': {\n"
                  "  'x': {'class': 'copy', 'from': 'data'}}}"),
         {"network['sub']['subnetwork']", "no layer 'output'"});
}

TEST(NetworkError, AllMistakesAtOnce) {
  const std::string message = error_of(
      "'a': {'class': 'linear', 'n_out': -1, 'from': 'data', 'is_output_layer': True},\n"
      "'b': {'class': 'linear', 'n_out': 3, 'from': 'nothing', 'is_output_layer': True},\n"
      "'fw': {'class': 'linear', 'n_out': 3, 'from': 'a'},\n" +
      kOutput);
  expect(message, {"got -1", "'nothing' not found"});
  EXPECT_EQ(message.find("in layer 'output'"), std::string::npos) << message;
}

}  // namespace
}  // namespace wende
