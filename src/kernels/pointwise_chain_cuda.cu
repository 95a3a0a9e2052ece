#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/chain_functions.h"
#include "kernels/pointwise_chain.h"
#include "tensor/placement.h"
#include "tensor/strided_loops.h"

namespace wende::cuda {
namespace {

constexpr int kOperands = 1 + PointwiseChain::kMostInputs;  ///< the result, and inputs

/// The chain as a kernel gets it: by value.
struct ChainArgs {
  StridedLoops<kOperands> loops;
  const float* in[PointwiseChain::kMostInputs];
  float* out;
  PointwiseChain::Step steps[PointwiseChain::kMostSteps];
  int count;
  int inputs;
};

__device__ float computed(PointwiseFunction function, float a, float b) {
  float result = 0.0f;
  functors::with_chain_function(function, [&](auto functor) { result = decltype(functor)::value(a, b); });
  return result;
}

__device__ Pack<float> computed(PointwiseFunction function, const Pack<float>& a, const Pack<float>& b) {
  Pack<float> result;
  functors::with_chain_function(function, [&](auto functor) {
    for (int k = 0; k < kPack; ++k) result.at[k] = decltype(functor)::value(a.at[k], b.at[k]);
  });
  return result;
}

template <class Value>
__device__ Value loaded(const float* from, int64_t stride) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    return *from;
  } else {
    return load_pack(from, stride);
  }
}

__device__ void store(float* to, float value) { *to = value; }
__device__ void store(float* to, const Pack<float>& value) { store_pack(to, value); }

/// All steps for one place, of one or four elements. Registers are in shared memory, which, unlike a thread's own, can
/// be indexed; each thread has its own column of them. All threads take the same way through the steps.
template <class Value>
__device__ void run_steps(const ChainArgs& args, int64_t element, Value (*registers)[kThreads]) {
  const bool dense = args.loops.dense;
  const auto at = dense ? StridedLoops<kOperands>::Offsets{} : args.loops.offsets(element);
  const auto operand = [&](int8_t index) {
    if (index >= args.inputs) return registers[index - args.inputs][threadIdx.x];
    if (dense) return loaded<Value>(args.in[index] + element, 1);
    return loaded<Value>(args.in[index] + at.at[1 + index], inner_stride(args.loops, 1 + index));
  };
  for (int i = 0; i < args.count; ++i) {
    const PointwiseChain::Step& step = args.steps[i];
    const Value a = operand(step.a);
    const Value value = computed(step.function, a, step.b == step.a ? a : operand(step.b));
    if (step.to == PointwiseChain::kResult) {
      store(args.out + (dense ? element : at.at[0]), value);
    } else {
      registers[step.to][threadIdx.x] = value;
    }
  }
}

__global__ void __launch_bounds__(kThreads) chain_kernel(const ChainArgs args) {
  __shared__ float registers[PointwiseChain::kMostRegisters][kThreads];
  for (const int64_t i : grid_range(args.loops.elements)) run_steps(args, i, registers);
}

/// The number of elements is a multiple of kPack.
__global__ void __launch_bounds__(kThreads) chain_packs_kernel(const ChainArgs args) {
  __shared__ Pack<float> registers[PointwiseChain::kMostRegisters][kThreads];
  for (const int64_t i : grid_range(args.loops.elements / kPack)) run_steps(args, i * kPack, registers);
}

bool fits_packs(const ChainArgs& args) {
  if (args.loops.elements % kPack != 0) return false;
  if (!args.loops.dense && args.loops.sizes[args.loops.rank - 1] % kPack != 0) return false;
  bool fits = operand_fits_packs(args.loops, 0, args.out);
  for (int i = 0; i < args.inputs; ++i) fits = fits && operand_fits_packs(args.loops, 1 + i, args.in[i]);
  return fits;
}

}  // namespace

void pointwise_chain(const PointwiseChain& chain, const std::vector<Tensor>& inputs, const Tensor& out) {
  ChainArgs args{};
  Shape strides[PointwiseChain::kMostInputs];
  const Shape* strides_of[kOperands] = {&out.strides()};
  for (size_t i = 0; i < PointwiseChain::kMostInputs; ++i) {
    const Tensor& input = inputs[i < inputs.size() ? i : 0];
    strides[i] = broadcast_strides(input, out.shape());
    strides_of[1 + i] = &strides[i];
    args.in[i] = device_data<float>(input);
  }
  args.loops = StridedLoops<kOperands>::make(out.shape(), strides_of);
  args.out = device_data<float>(out);
  args.inputs = static_cast<int>(inputs.size());
  for (const PointwiseChain::Step& step : chain.steps) args.steps[args.count++] = step;
  const int64_t n = args.loops.elements;
  if (fits_packs(args)) {
    launch(chain_packs_kernel, blocks_for(n / kPack), kThreads, 0, args);
  } else {
    launch(chain_kernel, blocks_for(n), kThreads, 0, args);
  }
}

}  // namespace wende::cuda
