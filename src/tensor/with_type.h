#pragma once

#include <cstdint>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wende {

/// Calls visit with a value of the C++ type of a dtype; there are no kernels on complex numbers.
template <class Visit>
void with_type(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(float{});
    case DType::kFloat64:
      return visit(double{});
    case DType::kInt32:
      return visit(int32_t{});
    case DType::kInt64:
      return visit(int64_t{});
    case DType::kBool:
      return visit(bool{});
    case DType::kComplex64:
      throw internal_error("a kernel was given complex64");
  }
}

}  // namespace wende
