#pragma once

#include <vector>

#include "config/value.h"
#include "dims/axes.h"
#include "layers/layer_builder.h"

namespace wende {

/// The axis description in an option: string, int, None, list or tuple of these.
AxisDescription axis_description(const Value& option);
/// The axes it selects, errors at the option's place.
std::vector<int> axes_of_option(const Data& data, const Value& option, int behavior_version);
int axis_of_option(const Data& data, const Value& option, int behavior_version);
/// The same; None is the time axis.
int axis_or_time(const Data& data, const Value& option, int behavior_version);

/// Whether an int is among the axes of the option: layers that count axes do so with the batch axis first.
bool counts_axes(const Value& option);
/// The order of x's axes with the batch axis at `place`; empty if nothing moves or there is no batch axis.
std::vector<int> order_with_batch_at(const Data& x, int place);
/// Where the batch axis goes by `enforce_batch_dim_axis` or, if that is None, because `axes` counts.
std::vector<int> enforced_batch_order(const Data& x, const Value& enforce, const Value& axes);

/// Where `option` of the layer is a dim tag, or a list of them, the dims stand for these: "out_dim" of a slice,
/// "out_spatial_dims" of a convolution. Throws kConfig at a tag of another size, or if the counts differ.
void name_axes(const LayerContext& context, const char* option, const std::vector<Dim>& dims);

/// Valid positions of the dynamic axis `axis` of x: bool with x's rank, size 1 on the other axes. Undefined if every
/// position is valid (static axis, or x has no batch axis).
Expr axis_mask(LayerBuilder& builder, const Data& x, int axis);

}  // namespace wende
