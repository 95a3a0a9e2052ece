#include "layers/axis_option.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/args.h"
#include "layers/dim_tag.h"
#include "ops/shape.h"

namespace wende {

AxisDescription axis_description(const Value& option) {
  switch (option.kind()) {
    case Value::Kind::kNone:
      return AxisDescription();
    case Value::Kind::kInt:
      return AxisDescription(option.as_int());
    case Value::Kind::kString:
      return AxisDescription(option.as_string());
    default:
      break;
  }
  if (option.is_sequence()) {
    std::vector<AxisDescription> parts;
    for (const Value& item : option.items()) {
      parts.push_back(axis_description(item));
    }
    return AxisDescription(std::move(parts));
  }
  throw option.error("an axis is a string, an int, a dim tag or a list of these, got " + option.repr());
}

std::vector<int> axes_of_option(const Data& data, const Value& option, int behavior_version) {
  if (option.kind() == Value::Kind::kDim) {
    const int axis = axis_of_tag(data, option);
    if (axis < 0) {
      throw option.error(
          fmt::format("the input {} has no axis {}: {}", data.str(), tag_text(option), describe_axes(data)));
    }
    return {axis};
  }
  if (option.is_sequence()) {
    std::vector<int> axes;
    for (const Value& part : option.items()) {
      for (const int axis : axes_of_option(data, part, behavior_version)) {
        if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
          axes.push_back(axis);
        }
      }
    }
    return axes;
  }
  try {
    return axes_from_description(data, axis_description(option), behavior_version);
  } catch (Error& error) {
    throw error.at(option.span(), option.path());
  }
}

int axis_of_option(const Data& data, const Value& option, int behavior_version) {
  if (option.kind() == Value::Kind::kDim) {
    return axes_of_option(data, option, behavior_version).front();
  }
  try {
    return axis_from_description(data, axis_description(option), behavior_version);
  } catch (Error& error) {
    throw error.at(option.span(), option.path());
  }
}

int axis_or_time(const Data& data, const Value& option, int behavior_version) {
  return option.is_none() ? axis_from_description(data, "T") : axis_of_option(data, option, behavior_version);
}

bool counts_axes(const Value& option) {
  if (option.is_sequence()) {
    return std::any_of(option.items().begin(), option.items().end(), counts_axes);
  }
  return option.kind() == Value::Kind::kInt;
}

std::vector<int> order_with_batch_at(const Data& x, int place) {
  const int batch = x.batch_axis();
  if (batch < 0 || batch == place) {
    return {};
  }
  std::vector<int> order;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis != batch) {
      order.push_back(axis);
    }
  }
  order.insert(order.begin() + place, batch);
  return order;
}

std::vector<int> enforced_batch_order(const Data& x, const Value& enforce, const Value& axes) {
  if (enforce.is_none()) {
    return counts_axes(axes) ? order_with_batch_at(x, 0) : std::vector<int>();
  }
  const int64_t place = enforce.as_int();
  if (place < 0 || place >= x.rank()) {
    throw enforce.error(fmt::format("enforce_batch_dim_axis {}: the input {} has {} axes", place, x.str(), x.rank()));
  }
  return order_with_batch_at(x, static_cast<int>(place));
}

void name_axes(const LayerContext& context, const char* option, const std::vector<Dim>& dims) {
  const Value* tags = context.options.find(option);
  if (!tags || tags->is_none()) {
    return;
  }
  const std::vector<Value> list = items_of(*tags);
  if (list.size() != dims.size()) {
    throw tags->error(fmt::format("{} names {} axes, the layer has {}", option, list.size(), dims.size()));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].kind() == Value::Kind::kDim) {
      declare_tag(dims[i], list[i]);
    }
  }
}

Expr axis_mask(LayerBuilder& builder, const Data& x, int axis) {
  const Dim& dim = x.dims[static_cast<size_t>(axis)];
  const int batch = x.batch_axis();
  if (batch < 0 || dim.is_static() || dim.is_batch()) {
    return {};
  }
  const bool time_major = axis < batch;
  Expr mask = builder.mask(dim, time_major);
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis && i != batch) {
      mask = ops::expand_dims(mask, i);
    }
  }
  return mask;
}

}  // namespace wende
