#pragma once

#include <algorithm>

#include "graph/op.h"
#include "kernels/conv.h"
#include "ops/conv.h"

namespace wende::ops {

inline void conv_attributes(AttributeVisitor& visitor, const ConvOptions& options) {
  visitor.field("strides", options.strides);
  visitor.field("dilations", options.dilations);
  visitor.field("left", options.left);
  visitor.field("same", options.same);
  visitor.field("groups", options.groups);
}

/// x: the wide side [B,S...,C], y: the side of the windows [B,O...,N].
inline cpu::ConvGeometry conv_geometry(const ConvOptions& options, const std::vector<int64_t>& window, const Tensor& x,
                                       const Tensor& y) {
  cpu::ConvGeometry geometry;
  geometry.rank = static_cast<int>(window.size());
  geometry.groups = options.groups;
  for (size_t i = 0; i < window.size(); ++i) {
    geometry.strides[i] = options.strides[i];
    geometry.dilations[i] = options.dilations[i];
    geometry.left[i] = options.left[i];
    if (options.same) {
      const int axis = static_cast<int>(i) + 1;
      const int64_t reach = (y.dim(axis) - 1) * geometry.strides[i] + (window[i] - 1) * geometry.dilations[i] + 1;
      geometry.left[i] = std::max<int64_t>(0, reach - x.dim(axis)) / 2;
    }
  }
  return geometry;
}

}  // namespace wende::ops
