#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// One to three spatial axes between batch and channels. same: as many zeros on both sides as the output's size needs
/// (one more on the right); else `left` zeros before the first element and what is missing after the last.
struct ConvOptions {
  std::vector<int> strides, dilations, left;
  bool same = false;
  int groups = 1;
};

/// x [B,S...,C], w [K...,C/groups,N] -> [B,spatial...,N]; the sizes of `spatial` say how far the window goes.
Expr conv(Expr x, Expr w, const ConvOptions& options, const std::vector<Dim>& spatial);
/// The transposition: x [B,S...,N], w [K...,C,N] -> [B,spatial...,C].
Expr transposed_conv(Expr x, Expr w, const ConvOptions& options, const std::vector<Dim>& spatial);

/// Windows of `size` along the spatial axes of x [B,S...,C] -> [B,spatial...,C]: their largest element or mean.
/// counted: zeros around x take part; else windows end at its border.
Expr pool(Expr x, bool max, const std::vector<int>& size, const ConvOptions& options, bool counted,
          const std::vector<Dim>& spatial);

}  // namespace wende::ops
