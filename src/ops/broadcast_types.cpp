#include "ops/broadcast_types.h"

#include <fmt/core.h>

namespace wende::ops {
namespace {

bool is_one(const Dim& dim) { return dim.is_static() && dim.size() == 1; }

}  // namespace

std::vector<Dim> broadcast_dims(std::string_view op, const std::vector<ExprType>& inputs) {
  std::vector<Dim> dims;
  for (const ExprType& input : inputs) {
    if (input.dims.empty()) continue;
    if (dims.empty()) {
      dims = input.dims;
      continue;
    }
    if (dims.size() != input.dims.size()) op_error(op, "operands have different ranks", inputs);
    for (size_t i = 0; i < dims.size(); ++i) {
      if (is_one(dims[i])) {
        dims[i] = input.dims[i];
      } else if (!is_one(input.dims[i]) && !dims[i].same_size(input.dims[i])) {
        op_error(op, fmt::format("sizes of axis {} differ", i), inputs);
      }
    }
  }
  return dims;
}

}  // namespace wende::ops
