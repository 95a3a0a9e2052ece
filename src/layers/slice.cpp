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

const RegisterLayer<SliceLayer, SliceArgs> kRegister{
    "slice",
    {},
    "A part of one axis.",
    {R"({"class": "slice", "axis": "F", "slice_start": 1, "slice_step": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
