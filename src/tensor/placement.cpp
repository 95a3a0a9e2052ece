#include "tensor/placement.h"

#include "device/memory.h"

namespace wende {

Tensor on(Device device, const Tensor& tensor) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  const Tensor copy = Tensor::empty(tensor.dtype(), tensor.shape(), device);
  copy.copy_from(tensor);
  return copy;
}

Tensor HostCopies::add(const Tensor& tensor) {
  if (tensor.device().is_cpu()) return tensor;
  const Tensor copy = Tensor::empty(tensor.dtype(), tensor.shape());
  copies_.push_back({copy.raw(), tensor.raw(), tensor.bytes()});
  return copy;
}

void clear(const Tensor& tensor) { clear_bytes(tensor.raw(), tensor.device(), tensor.bytes()); }

}  // namespace wende
