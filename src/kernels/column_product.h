#pragma once

#include <cstdint>

#include "kernels/row_view.h"

namespace wende::cpu {

/// Products with a matrix of one column, such as the energies of an attention: bound by memory, so that arranging
/// anything first costs more than the product.

/// out [rows,1] = x [rows,k] column [k] + bias (may be null).
void column_product(int64_t rows, const RowView& x, int64_t k, const float* column, const float* bias,
                    const RowView& out);
/// out [k] = sum over rows of a [rows,k] b [rows,1].
void column_weight_grad(int64_t rows, const RowView& a, int64_t k, const RowView& b, float* out);

}  // namespace wende::cpu
