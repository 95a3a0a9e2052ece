#pragma once

#include <vector>

#include "base/error.h"
#include "device/memory.h"
#include "tensor/tensor.h"

namespace wende {

/// The tensor itself if it is there already, else a contiguous copy. Undefined stays undefined.
Tensor on(Device device, const Tensor& tensor);
inline Tensor on_host(const Tensor& tensor) { return on(Device::cpu(), tensor); }
/// Lets host code change the values of a tensor wherever it lives: f gets it, or a copy that is copied back.
template <class F>
void change_on_host(const Tensor& tensor, F f) {
  const Tensor local = on_host(tensor);
  f(local);
  if (!tensor.device().is_cpu()) tensor.copy_from(local);
}
/// Copies to the host that wait for the device together, once.
class HostCopies {
 public:
  explicit HostCopies(Device device) : device_(device) {}
  /// contiguous(), on the device; the result holds its numbers after finish(). On the CPU it is the tensor itself.
  Tensor add(const Tensor& tensor);
  void finish() { copy_results(device_, copies_); }

 private:
  Device device_;
  std::vector<HostCopy> copies_;
};
/// Zero bytes, wherever it lives; needs contiguous().
void clear(const Tensor& tensor);

/// What Tensor::data is to the host, for kernels of the device that holds the tensor.
template <class T>
T* device_data(const Tensor& tensor) {
  if (tensor.dtype() != dtype_of<T>()) throw internal_error("a kernel reads a tensor as another dtype");
  return reinterpret_cast<T*>(tensor.raw());
}
template <class T>
T* device_data_or_null(const Tensor& tensor) {
  return tensor.defined() ? device_data<T>(tensor) : nullptr;
}

}  // namespace wende
