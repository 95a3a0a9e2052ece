#include <algorithm>
#include <array>

#include "base/error.h"
#include "kernels/chain_functions.h"
#include "kernels/pointwise_chain.h"
#include "tensor/strided_loops.h"

namespace wende {

PointwiseChain PointwiseChain::first(size_t count) const {
  PointwiseChain part = *this;
  part.steps.resize(count);
  part.steps.back().to = kResult;
  return part;
}

}  // namespace wende

namespace wende::cpu {
namespace {

namespace fn = functors;

/// Elements at a time: those of all registers stay in the L1 cache, and calls hardly count.
constexpr int64_t kBlock = 512;

using BlockFunction = void (*)(const float* a, const float* b, float* out, int64_t n);

template <class F>
void block_function(const float* a, const float* b, float* out, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = F::value(a[i], b[i]);
}

BlockFunction function_of(PointwiseFunction function) {
  BlockFunction found = nullptr;
  fn::with_chain_function(function, [&](auto functor) { found = &block_function<decltype(functor)>; });
  return found;
}

/// An input, block by block: where it lies if it is dense, else a copy.
class BlockInput {
 public:
  BlockInput(const Tensor& x, const Tensor& out) : data_(x.data<float>()) {
    const Shape strides = broadcast_strides(x, out.shape());
    loops_ = StridedLoops<2>::make(out.shape(), {&out.strides(), &strides});
    dense_ = loops_.dense;
    constant_ = x.elements() == 1 && !dense_;
    if (constant_) std::fill(copy_.begin(), copy_.end(), *data_);
  }

  const float* block(int64_t start, int64_t n) {
    if (dense_) return data_ + start;
    if (!constant_) copy(start, n);
    return copy_.data();
  }

 private:
  void copy(int64_t start, int64_t n) {
    const int64_t line = loops_.sizes[loops_.rank - 1];
    const int64_t stride = loops_.strides[1][loops_.rank - 1];
    for (int64_t done = 0; done < n;) {
      const int64_t at = start + done;
      const int64_t part = std::min(n - done, line - at % line);
      const float* from = data_ + loops_.offsets(at).at[1];
      float* to = copy_.data() + done;
      if (stride == 1) {
        std::copy_n(from, part, to);
      } else if (stride == 0) {
        std::fill_n(to, part, *from);
      } else {
        for (int64_t i = 0; i < part; ++i) to[i] = from[i * stride];
      }
      done += part;
    }
  }

  const float* data_;
  StridedLoops<2> loops_;
  bool dense_ = false;
  bool constant_ = false;
  alignas(64) std::array<float, kBlock> copy_;
};

class ChainRun {
 public:
  ChainRun(const PointwiseChain& chain, const std::vector<Tensor>& inputs, const Tensor& out)
      : chain_(chain), out_(out.data<float>()) {
    for (const Tensor& input : inputs) inputs_.emplace_back(input, out);
    for (const PointwiseChain::Step& step : chain.steps) functions_.push_back(function_of(step.function));
  }

  void block(int64_t start, int64_t n) {
    const size_t inputs = inputs_.size();
    for (size_t i = 0; i < inputs; ++i) operands_[i] = inputs_[i].block(start, n);
    for (size_t i = 0; i < chain_.steps.size(); ++i) {
      const PointwiseChain::Step& step = chain_.steps[i];
      const bool last = step.to == PointwiseChain::kResult;
      float* to = last ? out_ + start : registers_[static_cast<size_t>(step.to)].data();
      functions_[i](operands_[static_cast<size_t>(step.a)], operands_[static_cast<size_t>(step.b)], to, n);
      if (!last) operands_[inputs + static_cast<size_t>(step.to)] = to;
    }
  }

 private:
  const PointwiseChain& chain_;
  float* out_;
  std::vector<BlockInput> inputs_;
  std::vector<BlockFunction> functions_;
  std::array<const float*, PointwiseChain::kMostInputs + PointwiseChain::kMostRegisters> operands_{};
  alignas(64) std::array<std::array<float, kBlock>, PointwiseChain::kMostRegisters> registers_;
};

}  // namespace

void pointwise_chain(const PointwiseChain& chain, const std::vector<Tensor>& inputs, const Tensor& out) {
  ChainRun run(chain, inputs, out);
  const int64_t n = out.elements();
  for (int64_t start = 0; start < n; start += kBlock) run.block(start, std::min(kBlock, n - start));
}

}  // namespace wende::cpu

namespace wende {

bool chains_take(PointwiseFunction function) { return cpu::function_of(function) != nullptr; }

}  // namespace wende
