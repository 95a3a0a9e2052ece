#include <algorithm>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/cross_entropy.h"
#include "kernels/gemm.h"
#include "kernels/linear_cross_entropy.h"
#include "kernels/matmul.h"
#include "kernels/pointwise.h"
#include "kernels/reduce.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Rows that are not valid become zeros: what they hold is not to be read, not even times zero.
template <class T>
__global__ void __launch_bounds__(kThreads)
    valid_rows_kernel(const T* x, const bool* valid, int64_t n, int64_t elements, T* out) {
  for (const int64_t i : grid_range(elements)) {
    out[i] = valid[i / n] ? x[i] : T{0};
  }
}

template <class T>
void valid_rows(const Tensor& x, const Tensor& valid, int64_t n, const Tensor& out) {
  launch(valid_rows_kernel<T>, blocks_for(x.elements()), kThreads, 0, device_data<T>(x), device_data<bool>(valid), n,
         x.elements(), device_data<T>(out));
}

/// Rows [begin,end) of a tensor that has `rows` of them, as [rows, n].
Tensor piece(const Tensor& tensor, int64_t rows, int64_t begin, int64_t end) {
  return tensor.defined() ? tensor.reshaped(Shape{rows, tensor.elements() / rows}).sliced(0, begin, end) : Tensor();
}

class RowPieces {
 public:
  RowPieces(const cpu::LinearCrossEntropy& tensors, const cpu::Scratch& scratch)
      : t_(tensors), inner_(t_.w.dim(0)), classes_(t_.w.dim(1)), rows_(t_.labels.elements()) {
    constexpr int64_t kMostLogits = int64_t{64} << 20;
    most_ = std::clamp<int64_t>(kMostLogits / std::max<int64_t>(classes_, 1), 1, std::max<int64_t>(rows_, 1));
    logits_ = scratch(Shape{most_, classes_});
    lse_ = scratch(Shape{most_, 1});
    loss_ = scratch(Shape{most_, 1});
    if (t_.valid.defined()) x_ = scratch(Shape{most_, inner_});
    if (t_.dbias.defined()) bias_sum_ = scratch(Shape{classes_});
  }

  void run() {
    if (rows_ == 0 || classes_ == 0) {
      for (const Tensor& result : {t_.loss, t_.best, t_.dx, t_.dw, t_.dbias}) {
        if (result.defined()) clear(result);
      }
      return;
    }
    for (int64_t begin = 0; begin < rows_; begin += most_) run_piece(begin, std::min(begin + most_, rows_));
  }

 private:
  void run_piece(int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    const Tensor valid = piece(t_.valid, rows_, begin, end);
    Tensor x = piece(t_.x, rows_, begin, end);
    if (valid.defined()) {
      const Tensor masked = x_.sliced(0, 0, count);
      valid_rows<float>(x, valid, inner_, masked);
      x = masked;
    }
    const Tensor logits = logits_.sliced(0, 0, count);
    linear(x, t_.w, t_.bias, false, nullptr, {}, logits);
    if (t_.best.defined()) {
      const Tensor best = piece(t_.best, rows_, begin, end);
      arg_extremum(true, logits, 1, best.reshaped(Shape{count}));
      if (valid.defined()) valid_rows<int32_t>(best, valid, 1, best);
    }
    const Tensor labels = piece(t_.labels, rows_, begin, end);
    const Tensor lse = lse_.sliced(0, 0, count);
    const Tensor loss = t_.loss.defined() ? piece(t_.loss, rows_, begin, end) : loss_.sliced(0, 0, count);
    cross_entropy(logits, labels, valid, loss, lse);
    if (!t_.dloss.defined()) return;
    cross_entropy_grad(logits, lse, labels, valid, piece(t_.dloss, rows_, begin, end), logits);
    if (t_.dx.defined()) linear(logits, t_.w, Tensor(), true, nullptr, {}, piece(t_.dx, rows_, begin, end));
    if (t_.dw.defined() && most_ >= rows_) return linear_weight_grad(x, logits, nullptr, {}, t_.dw, t_.dbias);
    if (t_.dw.defined()) {
      gemm(true, false, inner_, classes_, count, 1.0f, device_data<float>(x), inner_, device_data<float>(logits),
           classes_, begin == 0 ? 0.0f : 1.0f, device_data<float>(t_.dw), classes_);
    }
    if (!t_.dbias.defined()) return;
    column_sum(logits, nullptr, begin == 0 ? t_.dbias : bias_sum_);
    if (begin > 0) binary(Binary::kAdd, t_.dbias, bias_sum_, t_.dbias);
  }

  const cpu::LinearCrossEntropy& t_;
  int64_t inner_;
  int64_t classes_;
  int64_t rows_;
  int64_t most_;
  Tensor logits_, lse_, loss_, x_, bias_sum_;
};

}  // namespace

void linear_cross_entropy(const cpu::LinearCrossEntropy& tensors, const cpu::Scratch& scratch) {
  RowPieces(tensors, scratch).run();
}

}  // namespace wende::cuda
