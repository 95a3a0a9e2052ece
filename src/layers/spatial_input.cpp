#include "layers/spatial_input.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The axes that in_spatial_dims names; else all but batch and feature.
std::vector<int> named_axes(const Data& x, const SpatialInputArgs& args, const LayerContext& context) {
  std::vector<int> spatial;
  if (!args.in_spatial_dims.is_none()) {
    if (!args.in_spatial_dims.is_sequence()) {
      throw args.in_spatial_dims.error("in_spatial_dims is a list of axes, got " + args.in_spatial_dims.repr());
    }
    for (const Value& item : args.in_spatial_dims.items()) {
      spatial.push_back(axis_of_option(x, item, context.behavior_version));
    }
    return spatial;
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis != x.batch_axis() && axis != x.feature_axis) {
      spatial.push_back(axis);
    }
  }
  if (spatial.size() > 1 && context.behavior_version >= 8) {
    throw context.options.error("in_spatial_dims is required from behavior_version 8 on for several spatial axes");
  }
  return spatial;
}

}  // namespace

SpatialInput::SpatialInput(const Data& x, const SpatialInputArgs& args, size_t count, const LayerContext& context)
    : expanded_(x) {
  if (x.sparse() || !x.has_batch() || (x.feature_axis < 0 && !args.input_add_feature_dim)) {
    throw context.options.error("the input needs a batch and a feature axis, and must not be sparse: " + x.str());
  }
  std::vector<int> spatial = named_axes(x, args, context);
  for (const int axis : spatial) {
    if (args.use_time_mask && x.dims[static_cast<size_t>(axis)].is_dynamic()) {
      masked_.push_back(axis);
    }
  }
  expand(args, context.absolute_name, spatial);
  std::vector<int> sorted = spatial;
  std::sort(sorted.begin(), sorted.end());
  const auto among = [&sorted](int axis) { return std::binary_search(sorted.begin(), sorted.end(), axis); };
  if (spatial.size() != count || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ||
      among(expanded_.feature_axis) || among(expanded_.batch_axis())) {
    throw context.options.error(
        fmt::format("a window over {} axes needs as many spatial axes, but the input {} has {}; see in_spatial_dims, "
                    "input_expand_dims, input_add_feature_dim",
                    count, x.str(), spatial.size()));
  }
  for (int axis = 0; axis < expanded_.rank(); ++axis) {
    if (axis != expanded_.feature_axis && !among(axis)) {
      order_.push_back(axis);
    }
  }
  batch_axes_ = static_cast<int>(order_.size());
  order_.insert(order_.end(), spatial.begin(), spatial.end());
  order_.push_back(expanded_.feature_axis);
  data_ = expanded_.permuted(order_);
}

/// The axes that options add; spatial ones join `spatial`.
void SpatialInput::expand(const SpatialInputArgs& args, const std::string& name, std::vector<int>& spatial) {
  for (int64_t i = 0; i < args.input_expand_dims; ++i) {
    spatial.push_back(expanded_.rank());
    expanded_.dims.push_back(Dim::fixed(1, Dim::Kind::kSpatial, name + ":input_expand_dims"));
  }
  if (!args.input_split_feature_dim.is_none()) {
    const int64_t part = args.input_split_feature_dim.as_int();
    const int at = expanded_.feature_axis;
    const int64_t size = at < 0 ? 0 : expanded_.dims[static_cast<size_t>(at)].size();
    if (part < 1 || size == 0 || size % part != 0) {
      throw args.input_split_feature_dim.error(fmt::format("{} features cannot be split in parts of {}", size, part));
    }
    expanded_.dims[static_cast<size_t>(at)] = Dim::fixed(part, Dim::Kind::kFeature, name + ":split-feature");
    expanded_ = expanded_.with_axis(at, Dim::fixed(size / part, Dim::Kind::kSpatial, name + ":split-feature-rest"));
    for (int& axis : spatial) {
      axis += axis >= at ? 1 : 0;
    }
    spatial.push_back(at);
  }
  if (args.input_add_feature_dim) {
    if (expanded_.feature_axis >= 0) {
      spatial.push_back(expanded_.feature_axis);
    }
    expanded_.dims.push_back(Dim::fixed(1, Dim::Kind::kFeature, name + ":feature"));
    expanded_.feature_axis = expanded_.rank() - 1;
  }
}

std::vector<Dim> SpatialInput::spatial_dims() const { return {data_.dims.begin() + batch_axes_, data_.dims.end() - 1}; }

Data SpatialInput::with(const std::vector<Dim>& spatial, const Dim& feature) const {
  Data out = data_;
  std::copy(spatial.begin(), spatial.end(), out.dims.begin() + batch_axes_);
  out.dims.back() = feature;
  return out;
}

Expr SpatialInput::arrange(LayerBuilder& builder, const LayerOutput& x, double mask_value) const {
  Expr y = x.expr;
  for (const int axis : masked_) {
    const Expr mask = axis_mask(builder, x.data, axis);
    y = mask.defined() ? ops::where(mask, y, ops::constant(builder.graph(), mask_value)) : y;
  }
  if (expanded_.dims != x.data.dims) {
    y = ops::reshape(y, expanded_.dims);
  }
  y = permute_if_needed(y, order_);
  if (batch_axes_ > 1) {
    const std::vector<Dim> batch(data_.dims.begin(), data_.dims.begin() + batch_axes_);
    std::vector<Dim> dims{Dim::derived(Dim::Op::kMul, batch)};
    dims.insert(dims.end(), y.dims().begin() + batch_axes_, y.dims().end());
    y = ops::reshape(y, dims);
  }
  return y;
}

Expr SpatialInput::restore(Expr y, const Data& out) const { return batch_axes_ > 1 ? ops::reshape(y, out.dims) : y; }

std::vector<int> per_axis(const Value& option, size_t count, int fallback, const char* name) {
  constexpr int64_t kMost = 1 << 20;
  const auto number = [&](const Value& item) {
    if (item.is_none()) return fallback;
    const int64_t value = item.as_int();
    if (value > kMost || value < -kMost) throw item.error(fmt::format("{} may be at most {}", name, kMost));
    return static_cast<int>(value);
  };
  std::vector<int> result;
  if (option.is_sequence()) {
    for (const Value& item : option.items()) {
      result.push_back(number(item));
    }
  } else {
    result.assign(count, number(option));
  }
  if (result.size() != count) {
    throw option.error(fmt::format("{} needs a number for each of {} axes, got {}", name, count, option.repr()));
  }
  return result;
}

SpatialPadding::SpatialPadding(const Value& option, size_t count) {
  if (option.is_string()) {
    const std::string word = lower_case(option.as_string());
    const std::vector<std::pair<std::string, Kind>> known{
        {"same", Kind::kSame}, {"valid", Kind::kValid}, {"same_static", Kind::kSameStatic}};
    for (const auto& [name, meaning] : known) {
      if (word == name) {
        kind = meaning;
        return;
      }
    }
    throw option.error("unknown padding " + option.repr()).hint(did_you_mean(word, {"same", "valid", "same_static"}));
  }
  kind = Kind::kExplicit;
  sizes = per_axis(option, count, 0, "padding");
  if (std::any_of(sizes.begin(), sizes.end(), [](int size) { return size < 0; })) {
    throw option.error("padding must not be negative, got " + option.repr());
  }
}

std::vector<Dim> SpatialPadding::place(const std::vector<Dim>& in, const std::vector<int>& size,
                                       const std::string& layer, ops::ConvOptions& options) const {
  options.same = kind == Kind::kSame;
  options.left.clear();
  std::vector<Dim> out;
  for (size_t i = 0; i < in.size(); ++i) {
    const int axis = static_cast<int>(i);
    if (kind == Kind::kSameStatic && size[i] > 1 && options.dilations[i] > 1) {
      throw Error(ExitStatus::kConfig,
                  "padding \"same_static\" with dilation_rate is not supported by Wende " WENDE_VERSION)
          .hint("it pads for the window without its dilation: there are fewer frames than lengths; use \"same\"");
    }
    options.left.push_back(left(in[i], axis, size[i], options.strides[i]));
    out.push_back(
        out_dim(in[i], axis, size[i], options.strides[i], options.dilations[i], fmt::format("{}:conv:s{}", layer, i)));
  }
  return out;
}

Dim SpatialPadding::out_dim(const Dim& in, int axis, int window, int stride, int dilation,
                            const std::string& name) const {
  const int64_t reach = int64_t{window - 1} * dilation;
  const int around = kind == Kind::kExplicit ? 2 * sizes[static_cast<size_t>(axis)] : 0;
  const bool same = kind == Kind::kSame || kind == Kind::kSameStatic;
  if (same ? stride == 1 && kind == Kind::kSame : window == 1 && stride == 1 && around == 0) {
    return in;
  }
  const int64_t shorter = same ? 0 : reach - around;
  if (in.is_static()) {
    const int64_t left = std::max<int64_t>(in.size() - shorter, 0);
    return Dim::fixed((left + stride - 1) / stride, Dim::Kind::kSpatial, name);
  }
  // Named for axis descriptions ("stag:"), which find the layer. What was padded before and is as long as the input was
  // then remains that axis.
  const auto named = [&](Dim::Op op, const Dim& dim, int64_t n) {
    const Dim plain = Dim::derived(op, {dim, Dim::fixed(n, Dim::Kind::kSpatial)}, dim.kind());
    const bool is_offset = plain.op() == Dim::Op::kAdd || plain.op() == Dim::Op::kSub;
    return is_offset || op == Dim::Op::kCeilDiv ? Dim::derived(plain.op(), plain.operands(), plain.kind(), name)
                                                : plain;
  };
  if (stride == 1) {
    return shorter > 0 ? named(Dim::Op::kSub, in, shorter) : shorter < 0 ? named(Dim::Op::kAdd, in, -shorter) : in;
  }
  return named(Dim::Op::kCeilDiv, shorter > 0 ? in - shorter : shorter < 0 ? in + -shorter : in, stride);
}

int SpatialPadding::left(const Dim& in, int axis, int window, int stride) const {
  if (kind == Kind::kExplicit) {
    return sizes[static_cast<size_t>(axis)];
  }
  if (kind != Kind::kSameStatic) {
    return 0;
  }
  if (in.is_dynamic()) {
    if (window < stride) {
      throw Error(
          ExitStatus::kConfig,
          fmt::format("padding \"same_static\" needs windows of at least the stride, got {} < {}", window, stride));
    }
    return (window - stride) / 2;
  }
  return static_cast<int>(window - 1 - (in.size() + stride - 1) % stride) / 2;
}

}  // namespace wende
