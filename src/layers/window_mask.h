#pragma once

#include "layers/layer_builder.h"

namespace wende {

/// Which frames of an axis stay, besides those of padding: options that seq_len_mask and softmax_over_spatial share.
struct WindowMaskArgs {
  Value start, window_start, window_size;

  template <class V>
  void fields(V& v) {
    v.field("start", start, "layer: frames before this one are masked too");
    v.field("window_start", window_start, "number or layer: first frame of a window that stays");
    v.field("window_size", window_size, "number or layer: its size");
  }

  /// Throws where only one half of the window is given; `class_name` is for the message.
  void check(const char* class_name) const;
  bool given() const { return !start.is_none() || !window_start.is_none(); }
  std::vector<std::string> refs() const;
};

/// True where a frame of axis `axis` of x is valid and in the window; broadcasts to x. Undefined: all are.
Expr window_mask(LayerBuilder& builder, const Data& x, int axis, const WindowMaskArgs& args);

}  // namespace wende
