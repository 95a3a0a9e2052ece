#include "device/cuda_check.cuh"
#include "optim/update_kernels.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct SlotPointers {
  float* at[3];
};

template <class F>
__device__ void update_one(const F& formula, float& w, float g, const SlotPointers& slots, int64_t i) {
  if constexpr (F::kSlots == 0) {
    formula(w, g);
  } else if constexpr (F::kSlots == 1) {
    formula(w, g, slots.at[0][i]);
  } else if constexpr (F::kSlots == 2) {
    formula(w, g, slots.at[0][i], slots.at[1][i]);
  } else {
    formula(w, g, slots.at[0][i], slots.at[1][i], slots.at[2][i]);
  }
}

template <class F>
__global__ void __launch_bounds__(kThreads)
    update_kernel(F formula, const int64_t* pieces, float* values, float* gradients, SlotPointers slots, float factor) {
  const int64_t begin = pieces[2 * blockIdx.x];
  const int64_t end = begin + pieces[2 * blockIdx.x + 1];
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    const float g = factor * gradients[i];
    if (factor != 1.0f) gradients[i] = g;
    update_one(formula, values[i], g, slots, i);
  }
}

}  // namespace

void update_weights(const UpdateFormula& formula, const Tensor& pieces, const Tensor& values, const Tensor& gradients,
                    const std::vector<Tensor>& slots, float gradient_factor) {
  SlotPointers pointers{};
  for (size_t i = 0; i < slots.size(); ++i) pointers.at[i] = device_data<float>(slots[i]);
  const auto blocks = static_cast<unsigned>(pieces.dim(0));
  std::visit(
      [&](const auto& f) {
        using F = std::decay_t<decltype(f)>;
        launch(update_kernel<F>, blocks, kThreads, 0, f, device_data<int64_t>(pieces), device_data<float>(values),
               device_data<float>(gradients), pointers, gradient_factor);
      },
      formula);
}

}  // namespace wende::cuda
