#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Order of the four blocks in the 4n axis. kNative: (cell-in j, i, f, o); kTf: (i, j, f, o).
enum class GateOrder { kNative, kTf };

struct RecurrentState {
  Expr output;  ///< [T,B,n]; 0 on padding
  Expr last_h;  ///< [B,n]; output of the last valid frame in running direction (initial h for empty sequences)
  Expr last_c;  ///< [B,n]; LSTM only
};

/// LSTM over a sequence, input products done outside: z [T,B,4n] = x W + b; w_re [n,4n]; lengths int32 [B];
/// initial c0, h0 [B,n] (undefined = 0). direction -1 starts at each sequence's own last frame.
/// c_t = sigmoid(f + forget_bias) c + sigmoid(i) tanh(j); h_t = sigmoid(o) tanh(c_t). State is carried over padding.
RecurrentState lstm(Expr z, Expr w_re, Expr lengths, Expr c0, Expr h0, int direction, GateOrder order,
                    double forget_bias);

/// TF GRU: r,u = sigmoid(z_gates + h w_gates) with z_gates [T,B,2n]; c = tanh(z_candidate + (r*h) w_candidate);
/// h = u*h + (1-u)*c. w_gates [n,2n], w_candidate [n,n].
RecurrentState gru(Expr z_gates, Expr z_candidate, Expr w_gates, Expr w_candidate, Expr lengths, Expr h0,
                   int direction);

/// h_t = tanh(z_t + h_{t-1} w_re): z [T,B,n], w_re [n,n].
RecurrentState simple_rnn(Expr z, Expr w_re, Expr lengths, Expr h0, int direction);

}  // namespace wende::ops
