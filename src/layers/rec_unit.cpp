#include "layers/rec_unit.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "layers/alignment.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// x W + b, or rows of W for sparse input.
Expr project(const RecInput& rec, Expr w, Expr b) {
  if (!rec.sparse) {
    return ops::linear(rec.x, w, b);
  }
  const Expr bias = ops::expand_dims(ops::expand_dims(b, 0), 0);
  return ops::add(ops::gather(w, rec.x), bias);
}

/// Rows [begin, end) of a kernel that stacks input and recurrent weights.
Expr rows(Expr kernel, int64_t begin, int64_t end) {
  return ops::slice(kernel, 0, begin, end, 1, Dim::fixed(end - begin, Dim::Kind::kSpatial));
}

ops::RecurrentState native_lstm(LayerBuilder& builder, const RecInput& rec) {
  if (rec.forget_bias.value_or(0.0) != 0.0) {
    throw Error(ExitStatus::kConfig, "native LSTM cells have no forget_bias; use unit 'standardlstm'");
  }
  const Expr w = builder.param("rec/W", Shape{rec.n_in, 4 * rec.n}, rec.forward_init, "xavier");
  const Expr w_re = builder.param("rec/W_re", Shape{rec.n, 4 * rec.n}, rec.recurrent_init, "xavier");
  const Expr b = builder.param("rec/b", Shape{4 * rec.n}, rec.bias_init, "zeros");
  return ops::lstm(project(rec, w, b), w_re, rec.lengths, rec.c0, rec.h0, rec.direction, ops::GateOrder::kNative, 0.0);
}

ops::RecurrentState joined_lstm(LayerBuilder& builder, const RecInput& rec, const std::string& kernel_name,
                                const std::string& bias_name, ops::GateOrder order, double forget_bias) {
  const Expr kernel = builder.param(kernel_name, Shape{rec.n_in + rec.n, 4 * rec.n}, rec.forward_init, "xavier");
  const Expr b = builder.param(bias_name, Shape{4 * rec.n}, rec.bias_init, "zeros");
  const Expr z = project(rec, rows(kernel, 0, rec.n_in), b);
  return ops::lstm(z, rows(kernel, rec.n_in, rec.n_in + rec.n), rec.lengths, rec.c0, rec.h0, rec.direction, order,
                   rec.forget_bias.value_or(forget_bias));
}

ops::RecurrentState gru(LayerBuilder& builder, const RecInput& rec) {
  const int64_t n = rec.n;
  const int64_t in = rec.n_in;
  const Expr gates = builder.param("rec/gru_cell/gates/kernel", Shape{in + n, 2 * n}, rec.forward_init, "xavier");
  const Expr gates_b = builder.param("rec/gru_cell/gates/bias", Shape{2 * n}, rec.bias_init, "ones");
  const Expr candidate = builder.param("rec/gru_cell/candidate/kernel", Shape{in + n, n}, rec.forward_init, "xavier");
  const Expr candidate_b = builder.param("rec/gru_cell/candidate/bias", Shape{n}, rec.bias_init, "zeros");
  return ops::gru(project(rec, rows(gates, 0, in), gates_b), project(rec, rows(candidate, 0, in), candidate_b),
                  rows(gates, in, in + n), rows(candidate, in, in + n), rec.lengths, rec.h0, rec.direction);
}

ops::RecurrentState basic_rnn(LayerBuilder& builder, const RecInput& rec) {
  const int64_t in = rec.n_in;
  const Expr kernel = builder.param("rec/basic_rnn_cell/kernel", Shape{in + rec.n, rec.n}, rec.forward_init, "xavier");
  const Expr b = builder.param("rec/basic_rnn_cell/bias", Shape{rec.n}, rec.bias_init, "zeros");
  return ops::simple_rnn(project(rec, rows(kernel, 0, in), b), rows(kernel, in, in + rec.n), rec.lengths, rec.h0,
                         rec.direction);
}

RecUnit joined(const std::string& cell) {
  return {[cell](LayerBuilder& builder, const RecInput& rec) {
            return joined_lstm(builder, rec, "rec/" + cell + "/kernel", "rec/" + cell + "/bias", ops::GateOrder::kTf,
                               1.0);
          },
          true};
}

const std::map<std::string, RecUnit>& rec_units() {
  static const std::map<std::string, RecUnit> units = [] {
    std::map<std::string, RecUnit> table;
    for (const char* name :
         {"lstm", "lstmp", "nativelstm", "nativelstm2", "lstmblock", "lstmblockfused", "cudnnlstm", "vanillalstm"}) {
      table[name] = {native_lstm, true};
    }
    table["standardlstm"] = joined("lstm_cell");
    table["basiclstm"] = joined("basic_lstm_cell");
    table["nativelstmlowmem"] = {[](LayerBuilder& builder, const RecInput& rec) {
                                   return joined_lstm(builder, rec, "rec/W", "rec/b", ops::GateOrder::kNative, 0.0);
                                 },
                                 true};
    table["gru"] = {gru, false};
    table["basicrnn"] = {basic_rnn, false};
    table["rnn"] = {basic_rnn, false};
    return table;
  }();
  return units;
}

}  // namespace

RecUnit find_rec_unit(const Value& option, bool cell) {
  std::string name = option.as_string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.size() > 4 && name.compare(name.size() - 4, 4, "cell") == 0) {
    name.resize(name.size() - 4);
  }
  if (cell && (name == "lstm" || name == "lstmp" || name.starts_with("nativelstm"))) {
    throw option.error("'" + option.as_string() +
                       "' runs over whole sequences only; rnn_cell knows LSTMBlock, BasicLSTM, "
                       "StandardLSTM, GRU, BasicRNN");
  }
  if (cell && name.starts_with("lstmblock")) {
    name = "standardlstm";
  }
  const auto it = rec_units().find(name);
  if (it != rec_units().end()) {
    return it->second;
  }
  std::vector<std::string> known;
  std::string list = "known units:";
  for (const auto& [unit, entry] : rec_units()) {
    known.push_back(unit);
    list += " " + unit;
  }
  const std::string hint = did_you_mean(name, known);
  throw option.error("unknown recurrent unit '" + option.as_string() + "'").hint(hint.empty() ? list : hint);
}

}  // namespace wende
