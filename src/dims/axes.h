#pragma once

#include <string>
#include <variant>
#include <vector>

#include "dims/data.h"

namespace wende {

/// An axis description of a config: a string such as "T", "static:-1", "except_batch", "stag:lstm"; an int; or a list.
/// Independent of the config's Value type so that the language can be tested alone.
struct AxisDescription {
  std::variant<std::monostate, int64_t, std::string, std::vector<AxisDescription>> what;

  AxisDescription() = default;
  AxisDescription(const char* text) : what(std::string(text)) {}
  AxisDescription(std::string text) : what(std::move(text)) {}
  AxisDescription(int64_t index) : what(index) {}
  AxisDescription(std::vector<AxisDescription> parts) : what(std::move(parts)) {}
  std::string str() const;
};

/// All axes that the description selects in `data`, indices into data.dims; RETURNN's Data.get_axes_from_description.
/// Throws Error kConfig that lists the template, what each of its axes is called, and the closest known word.
/// behavior_version: ints are refused from 5 on, order-dependent forms ("s:0") from 7 on.
std::vector<int> axes_from_description(const Data& data, const AxisDescription& description, int behavior_version = 0);

/// Exactly one axis, else Error.
int axis_from_description(const Data& data, const AxisDescription& description, int behavior_version = 0);

/// "axis 0: B batch; axis 1: T time spatial S:0 dynamic D:0; ..." for error messages.
std::string describe_axes(const Data& data);

}  // namespace wende
