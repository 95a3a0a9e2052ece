#include "layers/axis_option.h"

#include "layers/alignment.h"
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
  throw option.error("an axis is a string, an int or a list of these, got " + option.repr());
}

std::vector<int> axes_of_option(const Data& data, const Value& option, int behavior_version) {
  try {
    return axes_from_description(data, axis_description(option), behavior_version);
  } catch (Error& error) {
    throw error.at(option.span(), option.path());
  }
}

int axis_of_option(const Data& data, const Value& option, int behavior_version) {
  try {
    return axis_from_description(data, axis_description(option), behavior_version);
  } catch (Error& error) {
    throw error.at(option.span(), option.path());
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
