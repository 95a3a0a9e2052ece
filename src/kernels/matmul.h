#pragma once

#include "device/on_device.h"
#include "kernels/recurrent_schedule.h"
#include "kernels/rows.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// out [...,N] = x [...,K] w [K,N] (or [N,K] with transpose_w) + bias [N] (may be undefined). rows: to compute; nullptr
/// stands for all.
void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Rows* rows,
            const Scratch& scratch, const Tensor& out);
inline void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Tensor& out) {
  linear(x, w, bias, transpose_w, nullptr, heap_scratch, out);
}
/// max(0, linear).
void linear_relu(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Rows* rows,
                 const Scratch& scratch, const Tensor& out);
/// out [K,N] = a [...,K]^T b [...,N], summed over all rows. sum_b [N], if defined: the sum over the rows of b.
void linear_weight_grad(const Tensor& a, const Tensor& b, const Rows* rows, const Scratch& scratch, const Tensor& out,
                        const Tensor& sum_b = Tensor());
inline void linear_weight_grad(const Tensor& a, const Tensor& b, const Tensor& out) {
  linear_weight_grad(a, b, nullptr, heap_scratch, out);
}
/// out [N] = sum over all rows of x [...,N].
void column_sum(const Tensor& x, const Rows* rows, const Tensor& out);
inline void column_sum(const Tensor& x, const Tensor& out) { column_sum(x, nullptr, out); }
/// Products over the last two axes.
void batch_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, const Tensor& out);

}  // namespace wende::cpu

/// The CPU's functions without their short forms.
namespace wende::cuda {

void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const cpu::Rows* rows,
            const cpu::Scratch& scratch, const Tensor& out);
void linear_relu(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const cpu::Rows* rows,
                 const cpu::Scratch& scratch, const Tensor& out);
void linear_weight_grad(const Tensor& a, const Tensor& b, const cpu::Rows* rows, const cpu::Scratch& scratch,
                        const Tensor& out, const Tensor& sum_b);
void column_sum(const Tensor& x, const cpu::Rows* rows, const Tensor& out);

}  // namespace wende::cuda

WENDE_CUDA_KERNEL(batch_matmul)
