#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Throws Error kMalformedInput unless the label is in [0,classes).
void check_label(int32_t label, int64_t classes, int64_t row);
/// logits [...,V], labels int32 [...], valid bool [...] or undefined: loss [...] and logsumexp [...] per row.
/// Rows that are not valid: loss 0, label not checked.
void cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& valid, const Tensor& loss,
                   const Tensor& lse);
/// dlogits = (softmax - onehot) * dloss; zero where not valid.
void cross_entropy_grad(const Tensor& logits, const Tensor& lse, const Tensor& labels, const Tensor& valid,
                        const Tensor& dloss, const Tensor& dlogits);
/// Targets [...,V].
void cross_entropy_dense(const Tensor& logits, const Tensor& targets, const Tensor& loss, const Tensor& lse);
/// (softmax * sum(target) - target) * dloss.
void cross_entropy_dense_grad(const Tensor& logits, const Tensor& lse, const Tensor& targets, const Tensor& dloss,
                              const Tensor& dlogits);
/// dtargets = (lse - logits) * dloss.
void cross_entropy_target_grad(const Tensor& logits, const Tensor& lse, const Tensor& dloss, const Tensor& dtargets);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(cross_entropy)
WENDE_CUDA_KERNEL(cross_entropy_grad)
WENDE_CUDA_KERNEL(cross_entropy_dense)
WENDE_CUDA_KERNEL(cross_entropy_dense_grad)
WENDE_CUDA_KERNEL(cross_entropy_target_grad)
