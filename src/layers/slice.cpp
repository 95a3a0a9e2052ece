#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct SliceArgs {
  Value axis, slice_start, slice_end, slice_step;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis to slice");
    v.field("slice_start", slice_start, "first index; negative from the end");
    v.field("slice_end", slice_end, "index after the last; negative from the end");
    v.field("slice_step", slice_step, "step; a negative one turns the whole axis around, with padded frames");
  }
};

class SliceLayer : public Layer {
 public:
  explicit SliceLayer(SliceArgs args) : args_(std::move(args)) {}

  /// A dynamic axis keeps max(0, len + ...) frames per sequence, as counted from its own padded axis.
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_of_option(x, args_.axis, context.behavior_version);
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    step_ = args_.slice_step.is_none() ? 1 : args_.slice_step.as_int();
    begin_ = args_.slice_start.is_none() ? 0 : args_.slice_start.as_int();
    const bool open = args_.slice_end.is_none();
    if (step_ == 0 || (step_ < 0 && (begin_ != 0 || !open))) {
      throw args_.slice_step.error(
          fmt::format("slice_step must be > 0, or < 0 without slice_start and slice_end, got {}", step_));
    }
    Dim size;
    if (step_ < 0) {
      const int64_t every = -step_;
      begin_ = -1;
      end_ = std::numeric_limits<int64_t>::min();
      size = every == 1        ? dim
             : dim.is_static() ? Dim::fixed((dim.size() + every - 1) / every, dim.kind(), context.absolute_name)
                               : ceil_div(dim, every);
    } else if (dim.is_static()) {
      const auto bound = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + dim.size() : i, 0, dim.size()); };
      begin_ = bound(begin_);
      end_ = open ? dim.size() : std::max(bound(args_.slice_end.as_int()), begin_);
      size = Dim::fixed((end_ - begin_ + step_ - 1) / step_, dim.kind(), context.absolute_name + ":slice");
    } else {
      size = dynamic_size(dim, open, context.absolute_name);
    }
    Data out = x;
    out.dims[static_cast<size_t>(axis_)] = size;
    name_axes(context, "out_dim", {size});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    return ops::slice(builder.input().expr, axis_, begin_, end_, step_,
                      builder.out_data().dims[static_cast<size_t>(axis_)]);
  }

 private:
  /// With an end counted from the front, RETURNN has an axis of fixed size: shorter sequences show their padding.
  Dim dynamic_size(const Dim& dim, bool open, const std::string& name) {
    end_ = open ? std::numeric_limits<int32_t>::max() : args_.slice_end.as_int();
    if (begin_ < 0) {
      throw args_.slice_start.error(
          "a negative slice_start on a dynamic axis is not supported by Wende " WENDE_VERSION);
    }
    Dim size = dim;
    if (!open && end_ < 0) {
      size = size - (-end_);
    } else if (!open) {
      size = Dim::fixed(std::max<int64_t>(end_ - begin_, 0), Dim::Kind::kSpatial, name + ":slice-end");
      return step_ == 1 ? size
                        : Dim::fixed((size.size() + step_ - 1) / step_, Dim::Kind::kSpatial, name + ":slice-end");
    }
    if (begin_ > 0) {
      size = size - begin_;
    }
    return step_ == 1 ? size : ceil_div(size, step_);
  }

  SliceArgs args_;
  int axis_ = 0;
  int64_t begin_ = 0;
  int64_t end_ = 0;
  int64_t step_ = 1;
};

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
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    const Dim window = Dim::fixed(args_.window_size, Dim::Kind::kSpatial, context.absolute_name + ":window");
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
    order_ = {axis_ + 1, axis_};
    if (args_.stride > 1) {
      std::swap(order_[0], order_[1]);
    }
    for (const bool batch : {true, false}) {
      for (int i = 0; i < out.rank(); ++i) {
        if (i != axis_ && i != axis_ + 1 && (i == out.batch_axis()) == batch) {
          order_.push_back(i);
        }
      }
    }
    return out.permuted(order_);
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
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
  int axis_ = 0;
};

const RegisterLayer<SliceLayer, SliceArgs> kRegister{
    "slice",
    {},
    "A part of one axis.",
    {R"({"class": "slice", "axis": "F", "slice_start": 1, "slice_step": 2, "from": "data"})"}};
const RegisterLayer<WindowLayer, WindowArgs> kRegisterWindow{
    "window",
    {},
    "Each frame with its neighbours: a new axis after the time axis.",
    {R"({"class": "window", "window_size": 3, "from": "data"})",
     R"({"class": "window", "window_size": 2, "padding": "valid", "stride": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
