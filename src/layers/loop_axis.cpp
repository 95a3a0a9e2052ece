#include "layers/loop_axis.h"

#include <string>

#include "base/lower_case.h"

namespace wende {

bool is_loop_axis(const Value& axis, const Data& x, const LayerContext& context) {
  if (x.has_time() || !context.loop_time.defined()) {
    return false;
  }
  const std::string word = axis.is_string() ? lower_case(axis.as_string()) : "";
  return axis.is_none() || word == "t" || word == "time";
}

}  // namespace wende
