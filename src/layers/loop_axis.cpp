#include "layers/loop_axis.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace wende {

bool is_loop_axis(const Value& axis, const Data& x, const LayerContext& context) {
  if (x.has_time() || !context.loop_time.defined()) {
    return false;
  }
  std::string word = axis.is_string() ? axis.as_string() : "";
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return axis.is_none() || word == "t" || word == "time";
}

}  // namespace wende
