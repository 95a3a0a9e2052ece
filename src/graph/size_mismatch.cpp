#include "graph/size_mismatch.h"

#include <fmt/core.h>

namespace wende {

std::string size_mismatch(const Node& node, const Shape& given, const Shape& wanted) {
  for (int axis = 0; given.rank() == wanted.rank() && !node.inputs.empty() && axis < given.rank(); ++axis) {
    if (given[axis] != wanted[axis]) {
      return fmt::format("lengths that should be the same differ: {} of {} against {} of {}", given[axis],
                         node.inputs.front().dim(axis).str(), wanted[axis],
                         node.outputs.front().dims[static_cast<size_t>(axis)].str());
    }
  }
  return fmt::format("{} elements of {} cannot take shape {}", given.elements(), given.str(), wanted.str());
}

}  // namespace wende
