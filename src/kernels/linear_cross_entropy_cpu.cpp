#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/cross_entropy.h"
#include "kernels/linear_cross_entropy.h"
#include "kernels/matmul.h"
#include "kernels/reduce.h"
#include "kernels/row_product.h"

namespace wende::cpu {

namespace {

constexpr int64_t kCachedLogits = 1 << 16;  // 256 KB: three passes over the logits find them in the L2 cache

/// Hands out the same memory again after rewind().
class ReusedScratch {
 public:
  explicit ReusedScratch(const Scratch& scratch) : scratch_(scratch) {}
  void rewind() { next_ = 0; }
  Tensor operator()(Shape shape) {
    if (next_ == pieces_.size()) pieces_.push_back(scratch_(shape));
    Tensor& piece = pieces_[next_++];
    if (piece.elements() < shape.elements()) piece = scratch_(shape);
    return piece;
  }

 private:
  const Scratch& scratch_;
  std::vector<Tensor> pieces_;
  size_t next_ = 0;
};

template <class T>
Tensor gathered(const Tensor& values, const std::vector<int64_t>& rows) {
  Tensor result = Tensor::empty(values.dtype(), Shape{static_cast<int64_t>(rows.size())});
  for (size_t i = 0; i < rows.size(); ++i) result.data<T>()[i] = values.data<T>()[rows[i]];
  return result;
}

template <class T>
void scatter(const Tensor& values, const std::vector<int64_t>& rows, const Tensor& to) {
  if (!to.defined()) return;
  for (size_t i = 0; i < rows.size(); ++i) to.data<T>()[rows[i]] = values.data<T>()[i];
}

class RowBlocks {
 public:
  RowBlocks(const LinearCrossEntropy& t, const Scratch& scratch)
      : t_(t), scratch_(scratch), reused_(scratch), inner_(t.x.dim(-1)), classes_(t.w.dim(-1)) {
    for (int64_t row = 0; row < t.labels.elements(); ++row) {
      if (t.valid.defined() && !t.valid.data<bool>()[row]) continue;
      check_label(t.labels.data<int32_t>()[row], classes_, row);
      rows_.push_back(row);
    }
  }

  void run() {
    const int64_t count = static_cast<int64_t>(rows_.size());
    for (const Tensor& result : {t_.loss, t_.best, t_.dx}) {
      if (result.defined() && count < t_.labels.elements()) std::memset(result.raw(), 0, result.bytes());
    }
    const int64_t most = std::min(count, kSummedRows);
    const PackedMatrix forward(t_.w.data<float>(), inner_, classes_, false, most, scratch_);
    std::optional<PackedMatrix> backward;
    if (t_.dx.defined()) backward.emplace(t_.w.data<float>(), classes_, inner_, true, most, scratch_);
    const Tensor logits = scratch_(Shape{most * classes_});
    // Without rows the gradients of the parameters are still to be written: zeros.
    for (int64_t begin = 0; begin == 0 || begin < count; begin += kSummedRows) {
      const auto first = rows_.begin() + begin;
      run_block({first, first + std::min(kSummedRows, count - begin)}, begin > 0, forward,
                backward ? &*backward : nullptr, logits);
    }
  }

 private:
  void run_block(const std::vector<int64_t>& rows, bool add, const PackedMatrix& forward, const PackedMatrix* backward,
                 const Tensor& memory) {
    const int64_t count = static_cast<int64_t>(rows.size());
    const RowView x{t_.x.data<float>(), inner_, rows.data()};
    const RowView logits{memory.data<float>(), classes_};
    forward.multiply(count, x, logits, t_.bias.defined() ? t_.bias.data<float>() : nullptr);
    const int64_t in_cache = std::max<int64_t>(kCachedLogits / std::max<int64_t>(classes_, 1), 1);
    for (int64_t begin = 0; begin < count; begin += in_cache) {
      const int64_t part = std::min(in_cache, count - begin);
      losses({rows.begin() + begin, rows.begin() + begin + part},
             memory.sliced(0, begin * classes_, (begin + part) * classes_).reshaped(Shape{part, classes_}));
    }
    if (backward) backward->multiply(count, logits, {t_.dx.data<float>(), inner_, rows.data()});
    if (!t_.dw.defined()) return;
    reused_.rewind();
    transposed_product(count, x, inner_, logits, classes_, add, t_.dw.data<float>(),
                       t_.dbias.defined() ? t_.dbias.data<float>() : nullptr, std::ref(reused_));
  }

  /// Loss and error of the rows of a block; the logits become their gradient.
  void losses(const std::vector<int64_t>& rows, const Tensor& logits) {
    const Tensor labels = gathered<int32_t>(t_.labels, rows);
    const Tensor loss = Tensor::empty(DType::kFloat32, labels.shape());
    const Tensor lse = Tensor::empty(DType::kFloat32, labels.shape());
    if (t_.best.defined()) {
      const Tensor best = Tensor::empty(DType::kInt32, labels.shape());
      arg_extremum(true, logits, 1, best);
      scatter<int32_t>(best, rows, t_.best);
    }
    cross_entropy(logits, labels, Tensor(), loss, lse);
    scatter<float>(loss, rows, t_.loss);
    if (!t_.dloss.defined()) return;
    cross_entropy_grad(logits, lse, labels, Tensor(), gathered<float>(t_.dloss, rows), logits);
  }

  const LinearCrossEntropy& t_;
  const Scratch& scratch_;
  ReusedScratch reused_;
  int64_t inner_;
  int64_t classes_;
  std::vector<int64_t> rows_;
};

}  // namespace

void linear_cross_entropy(const LinearCrossEntropy& tensors, const Scratch& scratch) {
  RowBlocks(tensors, scratch).run();
}

}  // namespace wende::cpu
