#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/cross_entropy.h"
#include "kernels/softmax_row.h"
#include "kernels/vector_math.h"

namespace wende::cpu {

namespace {

float log_sum_exp(const float* x, int64_t n) {
  const float most = row_max(x, n);
  return most + std::log(row_sum_exp(x, n, most));
}

/// out may be x.
void scaled_softmax(const float* x, int64_t n, float lse, float scale, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = vm::exp(x[i] - lse) * scale;
}

const bool* data_or_null(const Tensor& valid) { return valid.defined() ? valid.data<bool>() : nullptr; }

}  // namespace

void check_label(int32_t label, int64_t classes, int64_t row) {
  if (label >= 0 && label < classes) return;
  throw Error(ExitStatus::kMalformedInput,
              fmt::format("[cross_entropy] label {} is outside of [0,{}) (row {})", label, classes, row));
}

void cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& valid, const Tensor& loss,
                   const Tensor& lse) {
  const int64_t n = logits.dim(-1);
  const int64_t rows = labels.elements();
  const float* x = logits.data<float>();
  const int32_t* label = labels.data<int32_t>();
  const bool* is_valid = data_or_null(valid);
  for (int64_t row = 0; row < rows; ++row) {
    float& row_loss = loss.data<float>()[row];
    float& row_lse = lse.data<float>()[row];
    if (is_valid && !is_valid[row]) {
      row_loss = row_lse = 0.0f;
      continue;
    }
    check_label(label[row], n, row);
    row_lse = log_sum_exp(x + row * n, n);
    row_loss = row_lse - x[row * n + label[row]];
  }
}

void cross_entropy_grad(const Tensor& logits, const Tensor& lse, const Tensor& labels, const Tensor& valid,
                        const Tensor& dloss, const Tensor& dlogits) {
  const int64_t n = logits.dim(-1);
  const int64_t rows = labels.elements();
  const int32_t* label = labels.data<int32_t>();
  const bool* is_valid = data_or_null(valid);
  const float* scale = dloss.data<float>();
  for (int64_t row = 0; row < rows; ++row) {
    float* to = dlogits.data<float>() + row * n;
    if ((is_valid && !is_valid[row]) || scale[row] == 0.0f) {
      std::fill(to, to + n, 0.0f);
      continue;
    }
    scaled_softmax(logits.data<float>() + row * n, n, lse.data<float>()[row], scale[row], to);
    to[label[row]] -= scale[row];
  }
}

void cross_entropy_dense(const Tensor& logits, const Tensor& targets, const Tensor& loss, const Tensor& lse) {
  const int64_t n = logits.dim(-1);
  for (int64_t row = 0; row < loss.elements(); ++row) {
    const float* x = logits.data<float>() + row * n;
    const float* target = targets.data<float>() + row * n;
    const float shift = log_sum_exp(x, n);
    lse.data<float>()[row] = shift;
    loss.data<float>()[row] = row_reduce(
        n, 0.0f, [](float a, float b) { return a + b; }, [=](int64_t i) { return target[i] * (shift - x[i]); });
  }
}

void cross_entropy_dense_grad(const Tensor& logits, const Tensor& lse, const Tensor& targets, const Tensor& dloss,
                              const Tensor& dlogits) {
  const int64_t n = logits.dim(-1);
  for (int64_t row = 0; row < dloss.elements(); ++row) {
    const float* x = logits.data<float>() + row * n;
    const float* target = targets.data<float>() + row * n;
    float* to = dlogits.data<float>() + row * n;
    const float scale = dloss.data<float>()[row];
    const float shift = lse.data<float>()[row];
    const float sum = row_sum(target, n);
    for (int64_t i = 0; i < n; ++i) to[i] = (vm::exp(x[i] - shift) * sum - target[i]) * scale;
  }
}

void cross_entropy_target_grad(const Tensor& logits, const Tensor& lse, const Tensor& dloss, const Tensor& dtargets) {
  const int64_t n = logits.dim(-1);
  for (int64_t row = 0; row < dloss.elements(); ++row) {
    const float* x = logits.data<float>() + row * n;
    float* to = dtargets.data<float>() + row * n;
    const float scale = dloss.data<float>()[row];
    const float shift = lse.data<float>()[row];
    for (int64_t i = 0; i < n; ++i) to[i] = (shift - x[i]) * scale;
  }
}

}  // namespace wende::cpu
