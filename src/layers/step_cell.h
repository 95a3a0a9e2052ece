#pragma once

#include <functional>
#include <optional>
#include <string>

#include "layers/rec_unit.h"

namespace wende {

/// States of a cell around a step, each [B,n].
struct CellState {
  Expr c;  ///< undefined: the cell has no such state
  Expr h;
  Expr output;  ///< of the step; undefined before the first one
};

/// A cell that is written as ops: what all frames give at once, and one step.
struct StepCell {
  Expr z;  ///< [T,B,k]: of the inputs alone
  /// z of one frame [B,k] and the state before -> the state after, in `graph`; variables are captured there.
  std::function<CellState(Graph& graph, Expr z, const CellState& before)> step;
};

/// The cell over all frames, as a loop; or, of RecInput::one_step, the step itself. Padded frames give 0 and leave the
/// state as it is.
ops::RecurrentState run_step_cell(LayerBuilder& builder, const RecInput& rec, const StepCell& cell, bool has_cell);

/// x W + b, or rows of W for sparse input; b may be undefined.
Expr project_input(const RecInput& rec, Expr w, Expr b);
/// Rows [begin, end) of a kernel that stacks input and recurrent weights.
Expr kernel_rows(Expr kernel, int64_t begin, int64_t end);
/// Block i of x [B,blocks*n].
Expr gate(Expr x, int index, int64_t n);
/// A factor [B,n], the same in all steps: dropout of a state. Undefined outside of training and for rate 0.
/// training: as an option says, or as the run is.
Expr state_dropout(LayerBuilder& builder, const RecInput& rec, double rate, const std::string& name,
                   std::optional<bool> training = {});

/// TensorFlow's LSTMCell and BasicLSTMCell, with what the fused one has not.
struct SteppedLstm {
  std::string scope;  ///< of the variables, below "rec/"
  bool use_peepholes = false;
  double forget_bias = 1.0;
  double cell_clip = 0.0;  ///< 0: none
  Value activation;        ///< None: tanh
};

/// Units whose options say what the cell is: see their files.
RecUnit stepped_lstm(const SteppedLstm& args);
RecUnit stepped_gru(const Value& activation);
RecUnit stepped_rnn(const Value& activation);
RecUnit zoneout_lstm(const Value& options);
RecUnit layer_norm_lstm(const Value& options);
RecUnit recurrent_highway(const Value& options);

}  // namespace wende
