#pragma once

#include "tensor/tensor.h"

namespace wende::cpu {

/// out [...,N] = x [...,K] w [K,N] (or [N,K] with transpose_w) + bias [N] (may be undefined).
void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Tensor& out);
/// out [K,N] = a [...,K]^T b [...,N], summed over all rows.
void linear_weight_grad(const Tensor& a, const Tensor& b, const Tensor& out);
/// out [N] = sum over all rows of x [...,N].
void column_sum(const Tensor& x, const Tensor& out);
/// Products over the last two axes.
void batch_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, const Tensor& out);

}  // namespace wende::cpu
