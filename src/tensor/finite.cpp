#include "tensor/finite.h"

#include "tensor/finite_kernels.h"
#include "tensor/placement.h"

namespace wende {

bool numbers_finite(const Tensor& tensor) {
  return tensor.dtype() != DType::kFloat32 ||
         WENDE_ON_DEVICE(tensor.device(), finite(device_data<float>(tensor), tensor.elements()));
}

}  // namespace wende
