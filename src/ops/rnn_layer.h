#pragma once

#include <memory>
#include <vector>

#include "graph/graph.h"
#include "kernels/rnn_layer.h"

namespace wende::ops {

/// A recurrent layer of a graph with its input product, and with the nodes of its gradient if those are there.
struct RnnNodes {
  RnnForm form;
  Expr x, w, bias, w_re, lengths;
  Expr c0, h0;  ///< undefined: zeros
  Dim time;
  NodeId product = -1;
  NodeId unit = -1;
  NodeId unit_grad = -1;  ///< -1: no gradient
  NodeId dx = -1;         ///< -1: nobody wants it
  NodeId dw = -1;
  Expr dy, d_last_h, d_last_c;
};

/// Recurrent units of the kinds that cuDNN has, over sequences with known lengths.
std::vector<RnnNodes> find_rnn_layers(const Graph& graph);

/// Offers nodes that run recurrent layers with their input products by cuDNN: one node for a layer, or for two layers
/// of opposite directions that do not depend on each other, which then run at the same time; and one for their
/// gradients.
void offer_rnn_layers(Graph& graph);

}  // namespace wende::ops
