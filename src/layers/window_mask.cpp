#include "layers/window_mask.h"

#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/layer_names.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

Expr number(LayerBuilder& builder, const Value& option, const Data& layout) {
  if (!option.is_string()) {
    return ops::int_constant(builder.graph(), option.as_int());
  }
  return ops::cast(align_to(builder.ref(option.as_string()), layout), DType::kInt32);
}

}  // namespace

void WindowMaskArgs::check(const char* class_name) const {
  if (window_start.is_none() != window_size.is_none()) {
    throw Error(ExitStatus::kConfig,
                fmt::format("{} needs both window_start and window_size, or none of them", class_name));
  }
}

std::vector<std::string> WindowMaskArgs::refs() const { return layer_names({&start, &window_start, &window_size}); }

Expr window_mask(LayerBuilder& builder, const Data& x, int axis, const WindowMaskArgs& args) {
  Expr mask = axis_mask(builder, x, axis);
  if (!args.given()) {
    return mask;
  }
  const Expr place = along_axis(ops::range(builder.graph(), x.dims[static_cast<size_t>(axis)]), axis, x.rank());
  const auto also = [&mask](Expr more) {
    mask = mask.defined() ? ops::binary(ops::Binary::kLogicalAnd, mask, more) : more;
  };
  if (!args.start.is_none()) {
    also(ops::binary(ops::Binary::kGreaterEqual, place, number(builder, args.start, x)));
  }
  if (!args.window_start.is_none()) {
    const Expr begin = number(builder, args.window_start, x);
    also(ops::binary(ops::Binary::kGreaterEqual, place, begin));
    also(ops::binary(ops::Binary::kLess, place, ops::add(begin, number(builder, args.window_size, x))));
  }
  return mask;
}

}  // namespace wende
