#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/loop_axis.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct WindowArgs {
  int64_t window_size = 0;
  Value window_dim, window_left, window_right, axis, out_spatial_dim;
  std::string padding = "same";
  int64_t stride = 1;

  template <class V>
  void fields(V& v) {
    v.field("window_size", window_size, "frames per window");
    v.field("window_dim", window_dim, "dim tag of the new axis; instead of window_size");
    v.field("window_left", window_left, "frames before the current one ((size - 1) // 2)");
    v.field("window_right", window_right, "frames after the current one");
    v.field("axis", axis, "time if not given");
    v.field("padding", padding, "same (zeros around the axis) or valid (whole windows only, window_left is not given)");
    v.field("stride", stride, "every how many frames a window starts");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag that the axis stands for with a stride or padding \"valid\"");
  }
};

class WindowLayer : public Layer {
 public:
  explicit WindowLayer(WindowArgs args) : args_(std::move(args)) {
    const Value* size = args_.window_dim.kind() == Value::Kind::kDim ? args_.window_dim.find("dimension") : nullptr;
    if (args_.window_size == 0 && size && size->is_number()) {
      args_.window_size = size->as_int();
    }
    if (args_.window_size < 1) {
      throw Error(ExitStatus::kConfig, fmt::format("window_size must be > 0, got {}", args_.window_size));
    }
    if (args_.padding != "same" && args_.padding != "valid") {
      throw Error(ExitStatus::kConfig, "window: padding must be 'same' or 'valid', got '" + args_.padding + "'");
    }
    if (args_.stride < 1) {
      throw Error(ExitStatus::kConfig, fmt::format("window: stride must be > 0, got {}", args_.stride));
    }
    if (is_valid() && (!args_.window_left.is_none() || !args_.window_right.is_none())) {
      throw Error(ExitStatus::kConfig, "window with padding 'valid' has neither window_left nor window_right");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Dim window = Dim::fixed(args_.window_size, Dim::Kind::kSpatial, context.absolute_name + ":window");
    one_step_ = is_loop_axis(args_.axis, x, context);
    if (one_step_) {
      order_ = order_with_batch_at(x, 0);
      name_axes(context, "window_dim", {window});
      return (order_.empty() ? x : x.permuted(order_)).with_axis(x.has_batch() ? 1 : 0, window);
    }
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    Data out = x.with_axis(axis_ + 1, window);
    Dim& frames = out.dims[static_cast<size_t>(axis_)];
    frames = frames_of(frames, context.absolute_name + ":window:frames");
    name_axes(context, "window_dim", {window});
    name_axes(context, "out_spatial_dim", {frames});
    order_.clear();
    if (context.behavior_version < 18) {
      return out;
    }
    // Later versions put the window first (with a stride: second), then the axis, then the batch.
    std::vector<int> first{axis_ + 1, axis_, out.batch_axis()};
    if (args_.stride > 1) {
      std::swap(first[0], first[1]);
    }
    order_ = order_with_first(out.rank(), first);
    return out.permuted(order_);
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    if (one_step_) {
      return moved_on(builder, out);
    }
    int64_t left = is_valid() ? 0 : (args_.window_size - 1) / 2;
    if (!args_.window_left.is_none()) {
      left = args_.window_left.as_int();
    } else if (!args_.window_right.is_none()) {
      left = args_.window_size - 1 - args_.window_right.as_int();
    }
    const auto place = [&](int axis) {
      const auto found = std::find(order_.begin(), order_.end(), axis);
      return static_cast<size_t>(order_.empty() ? axis : found - order_.begin());
    };
    Expr y = ops::window(builder.input().expr, axis_, out.dims[place(axis_ + 1)], left);
    if (is_valid() || args_.stride > 1) {
      const int64_t end = is_valid() && args_.window_size > 1 ? 1 - args_.window_size : INT64_MAX;
      y = ops::slice(y, axis_, 0, end, args_.stride, out.dims[place(axis_)]);
    }
    return order_.empty() ? y : ops::permute(y, order_);
  }

 private:
  bool is_valid() const { return args_.padding == "valid"; }

  /// In a loop: the last frames, this one at the end; zeros before the first.
  Expr moved_on(LayerBuilder& builder, const Data& out) const {
    const bool past_only = (!args_.window_left.is_none() || !args_.window_right.is_none()) &&
                           (args_.window_left.is_none() || args_.window_left.as_int() == args_.window_size - 1) &&
                           (args_.window_right.is_none() || args_.window_right.as_int() == 0);
    if (!past_only || is_valid() || args_.stride != 1) {
      throw builder.context().options.error(
          "a window over the steps of a loop has window_right 0 or window_left window_size - 1, no stride and padding "
          "'same'");
    }
    const int axis = out.has_batch() ? 1 : 0;
    const Expr frame = ops::expand_dims(permute_if_needed(builder.input().expr, order_), axis);
    if (args_.window_size == 1) {
      return frame;
    }
    const Dim& window = out.dims[static_cast<size_t>(axis)];
    const Dim kept = Dim::fixed(args_.window_size - 1, Dim::Kind::kSpatial);
    const Expr past = ops::slice(builder.previous("state", out).expr, axis, 1, args_.window_size, 1, kept);
    const Expr frames = ops::concat({past, frame}, axis, window);
    builder.add_sub_output("state", {out, frames});
    return frames;
  }

  /// The axis that windows of these frames leave of one.
  Dim frames_of(const Dim& dim, const std::string& name) const {
    const int64_t lost = is_valid() ? args_.window_size - 1 : 0;
    if (dim.is_static()) {
      const int64_t kept = std::max<int64_t>(dim.size() - lost, 0);
      return kept == dim.size() && args_.stride == 1
                 ? dim
                 : Dim::fixed((kept + args_.stride - 1) / args_.stride, dim.kind(), name);
    }
    const Dim kept = lost > 0 ? dim - lost : dim;
    return args_.stride > 1 ? ceil_div(kept, args_.stride) : kept;
  }

  WindowArgs args_;
  std::vector<int> order_;  ///< of the output's axes; empty: the window stands behind its axis
  bool one_step_ = false;
  int axis_ = 0;
};

const RegisterLayer<WindowLayer, WindowArgs> kRegister{
    "window",
    {},
    "Each frame with its neighbours: a new axis after the time axis.",
    {R"({"class": "window", "window_size": 3, "from": "data"})",
     R"({"class": "window", "window_size": 2, "padding": "valid", "stride": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
