#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

const std::string kData = "extern_data = {'data': {'dim': 9}, 'classes': {'dim': 2, 'sparse': True}}\n";

/// The error of a loop over data with these layers in its unit.
std::string unit_error(const std::string& layers) {
  return build_error(kData + "network = {'output': {'class': 'rec', 'from': 'data', 'unit': {\n" + layers + "}}}\n");
}

void expect(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "missing: " << part << "\nin: " << message;
  }
}

TEST(LoopError, UnitOptionsOfEachCell) {
  const auto error = [](const std::string& unit, const std::string& opts) {
    return build_error(kData + "network = {'output': {'class': 'rec', 'from': 'data', 'n_out': 3, 'unit': '" + unit +
                       "', 'unit_opts': " + opts + "}}\n");
  };
  EXPECT_EQ(error("lstm", "{'rec_weight_dropout': 0.1, 'rec_weight_dropout_shape': (None, 1)}"), "");
  EXPECT_EQ(error("lstm", "None"), "");
  expect(error("lstm", "{'use_peepholes': True}"), {"test.config:2", "use_peepholes", "unit_opts of the unit 'lstm'"});
  expect(error("lstm", "{'forget_bias': 1.0}"), {"no forget_bias", "standardlstm"});
  expect(error("lstm", "{'rec_weight_dropout': 1.0}"), {"0 <= rec_weight_dropout < 1"});
  expect(error("standardlstm", "{'use_peephole': True}"), {"did you mean 'use_peepholes'?"});
  expect(error("zoneoutlstm", "{'zoneout_factor_cell': 1.5}"), {"0 <= factor < 1", "1.5"});
  expect(error("zoneoutlstm", "{'zoneout_factor': 0.5}"), {"unknown option 'zoneout_factor'"});
  expect(error("layernormvariantslstm", "{'per_gate_norm': True}"), {"only one can be on"});
  expect(error("layernormvariantslstm", "{'with_concat': True}"), {"exclude each other"});
  expect(error("rhn", "{'depth': 0}"), {"depth >= 1"});
  expect(error("gru", "{'depth': 2}"), {"unit_opts of the unit 'gru'"});
}

TEST(LoopError, StatesOfTheBatchBefore) {
  for (const char* state : {"keep_over_epoch_no_init", "placeholder"}) {
    expect(build_error(kData +
                       "network = {'output': {'class': 'rec', 'from': 'data', 'n_out': 3, 'unit': 'lstm', "
                       "'initial_state': '" +
                       state + "'}}\n"),
           {"test.config:2", state, "RETURNN cannot train it, either"});
  }
}

TEST(LoopError, LoopsThatEndByThemselves) {
  const auto error = [](const std::string& options, const std::string& layers) {
    return build_error(kData + "network = {'output': {'class': 'rec', 'from': [], " + options + "'unit': {\n" + layers +
                       "}}}\n");
  };
  const std::string output =
      "'output': {'class': 'eval', 'eval': 'source(0) + 1.0', 'from': 'prev:output', "
      "'out_type': {'dim': 2, 'shape': (2,)}},\n";
  const std::string end =
      "'sum': {'class': 'reduce', 'mode': 'sum', 'axis': 'F', 'from': 'output'},\n"
      "'end': {'class': 'compare', 'kind': 'greater', 'value': 5.0, 'from': 'sum'}";
  EXPECT_EQ(error("'max_seq_len': 4, ", output + end), "");
  expect(error("", output + end), {"give the largest length, max_seq_len"});
  expect(error("'max_seq_len': 'max_len_from(3)', ", output + end), {"max_len_from takes the name of a layer"});
  expect(error("'max_seq_len': '1.5', ", output + end), {"max_seq_len must be a whole number"});
  expect(error("'max_seq_len': 4, ", output + "'end': {'class': 'copy', 'from': 'output'}"),
         {"'end' must be bool [B] in each step"});
  expect(error("'max_seq_len': 4, ", output), {"no 'end' layer"});
}

TEST(LoopError, MaskedComputation) {
  const std::string mask = "'mask': {'class': 'compare', 'kind': 'greater', 'value': 0.0, 'from': 'data:source'},\n";
  const std::string unit = "'unit': {'class': 'linear', 'n_out': 3, 'activation': None, 'from': 'data'}";
  const std::string layer = "'output': {'class': 'masked_computation', 'mask': 'mask', 'from': 'data:source', ";
  expect(unit_error(mask + layer + unit + "}"), {"mask must be bool [B] in each step"});
  expect(unit_error(mask + "'output': {'class': 'masked_computation', 'from': 'data:source', " + unit + "}"),
         {"needs a layer 'mask'"});
  expect(unit_error(mask + layer + "'unit': 'linear'}"), {"needs the dict of a layer as 'unit'"});
  expect(unit_error(mask + layer + "'masked_from': 1, " + unit + "}"), {"masked_from is the name of a layer"});
  const std::string whole_mask = "'mask': {'class': 'compare', 'kind': 'greater', 'value': 0.0, 'from': 'data'},\n";
  const std::string whole = "'output': {'class': 'masked_computation', 'mask': 'mask', 'from': 'data', ";
  expect(build_error(kData + "network = {" + whole_mask + whole + unit + "}}\n"),
         {"outside of loops the mask must be bool [B,T]"});
}

TEST(LoopError, AttentionInALoopLooksBack) {
  expect(unit_error("'output': {'class': 'self_attention', 'num_heads': 1, 'total_key_dim': 2, 'n_out': 2, "
                    "'from': 'data:source'}"),
         {"set attention_left_only"});
  expect(build_error(kData + "network = {'x': {'class': 'squeeze', 'axis': 'F', 'from': 'data'},\n'output': {"
                             "'class': 'positional_encoding', 'n_out': 6, 'from': 'len', 'axis': None},\n"
                             "'len': {'class': 'length', 'from': 'data'}}\n"),
         {"positional_encoding"});
}

TEST(LoopError, SumFromTheEnd) {
  expect(unit_error("'output': {'class': 'cumsum', 'reverse': True, 'from': 'data:source'}"),
         {"cannot run from the end"});
}

}  // namespace
}  // namespace wende
