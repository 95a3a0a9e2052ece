#pragma once

#include <functional>
#include <string>
#include <vector>

#include "layers/layer_builder.h"
#include "ops/recurrent.h"

namespace wende {

/// What a cell needs to run over a sequence.
struct RecInput {
  Expr x;  ///< [T,B,in], or int32 [T,B] indices
  bool sparse = false;
  int64_t n_in = 0;
  int64_t n = 0;
  Expr lengths;  ///< int32 [B]
  Expr mask;     ///< bool [T,B]; undefined: all frames are valid
  int direction = 1;
  std::vector<Dim> state_dims;  ///< [B,n]
  Expr c0, h0;                  ///< undefined = zeros
  Value forward_init, recurrent_init, bias_init;
  bool input_projection = true;  ///< false: units that have such a product leave it out
  bool one_step = false;         ///< x is a single frame, of a step of the loop around
};

/// A recurrent cell: its variables below "rec/" and its loop.
struct RecUnit {
  std::function<ops::RecurrentState(LayerBuilder&, const RecInput&)> build;
  bool has_cell = false;      ///< the state is (c, h)
  bool single_state = false;  ///< of (c, h), a config sees and gives c alone
  bool any_frames = false;    ///< takes an input without time axis outside of loops too, as a single frame
};

/// By RETURNN's name in any case, with or without "cell"; throws kConfig with the closest name.
/// unit_opts: a dict of the unit's own options, or None. cell: for rnn_cell, where some names mean other cells.
RecUnit find_rec_unit(const Value& option, const Value& unit_opts, bool cell = false);

}  // namespace wende
