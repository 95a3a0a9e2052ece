#include "tensor/tensor.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "device/memory.h"
#include "device/on_device.h"
#include "tensor/placement.h"
#include "tensor/strided_copy.h"

namespace wende {
namespace {

Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

alignas(64) std::byte empty_memory[64];

template <class T>
std::string element_text(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return fmt::format("{}", value);
}

std::string element_text(DType dtype, const std::byte* data) {
  switch (dtype) {
    case DType::kFloat32:
      return element_text<float>(data);
    case DType::kFloat64:
      return element_text<double>(data);
    case DType::kInt32:
      return element_text<int32_t>(data);
    case DType::kInt64:
      return element_text<int64_t>(data);
    case DType::kBool:
      return element_text<bool>(data);
    case DType::kComplex64:
      return fmt::format("{}+{}j", element_text<float>(data), element_text<float>(data + sizeof(float)));
  }
  return "?";
}

}  // namespace

Tensor Tensor::empty(DType dtype, Shape shape, Device device) {
  for (const int64_t size : shape) {
    if (size < 0) throw internal_error("a tensor of shape " + shape.str() + " was asked for");
  }
  auto buffer = Buffer::allocate(static_cast<size_t>(shape.elements()) * size_of(dtype), device);
  std::byte* data = buffer->data();
  return wrap(dtype, shape, data, std::move(buffer), device);
}

Tensor Tensor::zeros(DType dtype, Shape shape, Device device) {
  Tensor tensor = empty(dtype, shape, device);
  clear_bytes(tensor.data_, device, tensor.bytes());
  return tensor;
}

Tensor Tensor::scalar(float value) { return of<float>({value}, {}); }

Tensor Tensor::wrap(DType dtype, Shape shape, std::byte* data, std::shared_ptr<Buffer> owner, Device device) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = shape;
  tensor.strides_ = contiguous_strides(shape);
  tensor.data_ = data == nullptr && shape.elements() == 0 ? empty_memory : data;
  tensor.owner_ = std::move(owner);
  tensor.device_ = device;
  return tensor;
}

template <class T>
Tensor Tensor::of(const std::vector<T>& values, Shape shape) {
  if (static_cast<int64_t>(values.size()) != shape.elements()) {
    throw internal_error(fmt::format("{} values for a tensor of shape {}", values.size(), shape.str()));
  }
  Tensor tensor = empty(dtype_of<T>(), shape);
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor;
}

bool Tensor::contiguous() const {
  if (elements() <= 1) return true;
  int64_t step = 1;
  for (int axis = rank() - 1; axis >= 0; --axis) {
    if (shape_[axis] != 1 && strides_[axis] != step) return false;
    step *= shape_[axis];
  }
  return true;
}

template <class T>
T* Tensor::data() const {
  if (!device_.is_cpu()) {
    throw internal_error(fmt::format("a tensor of shape {} on {} was read by the host", shape_.str(), device_.str()));
  }
  if (dtype_ != dtype_of<T>()) {
    throw internal_error(
        fmt::format("a {} tensor of shape {} was read as {}", name_of(dtype_), shape_.str(), name_of(dtype_of<T>())));
  }
  return reinterpret_cast<T*>(data_);
}

Tensor Tensor::reshaped(Shape shape) const {
  if (!contiguous() || shape.elements() != elements()) {
    throw internal_error(
        fmt::format("cannot view {}{} as {}", contiguous() ? "" : "strided ", shape_.str(), shape.str()));
  }
  Tensor view = *this;
  view.shape_ = shape;
  view.strides_ = contiguous_strides(shape);
  return view;
}

Tensor Tensor::permuted(const std::vector<int>& axes) const {
  uint32_t seen = 0;
  for (const int axis : axes) seen |= axis >= 0 && axis < rank() ? 1u << axis : 0u;
  if (static_cast<int>(axes.size()) != rank() || seen != (1u << rank()) - 1) {
    throw internal_error("a permutation of other axes was asked of shape " + shape_.str());
  }
  Tensor view = *this;
  for (int i = 0; i < rank(); ++i) {
    view.shape_[i] = shape_[axes[static_cast<size_t>(i)]];
    view.strides_[i] = strides_[axes[static_cast<size_t>(i)]];
  }
  return view;
}

Tensor Tensor::sliced(int axis, int64_t begin, int64_t end) const { return strided(axis, begin, end - begin, 1); }

Tensor Tensor::strided(int axis, int64_t begin, int64_t count, int64_t step) const {
  const int i = axis < 0 ? axis + rank() : axis;
  const int64_t last = begin + (count - 1) * step;
  const bool inside = count == 0 || (begin >= 0 && begin < shape_[i] && last >= 0 && last < shape_[i]);
  if (count < 0 || !inside) {
    throw internal_error(
        fmt::format("{} elements from {} (step {}) of axis {} of shape {}", count, begin, step, axis, shape_.str()));
  }
  Tensor view = *this;
  if (count > 0) view.data_ += begin * strides_[i] * static_cast<int64_t>(size_of(dtype_));
  view.shape_[i] = count;
  view.strides_[i] = strides_[i] * step;
  return view;
}

Tensor Tensor::broadcast_to(Shape shape) const {
  Tensor view = *this;
  bool fits = shape.rank() == rank();
  for (int i = 0; fits && i < rank(); ++i) {
    fits = shape_[i] == shape[i] || shape_[i] == 1;
    if (shape_[i] != shape[i]) view.strides_[i] = 0;
  }
  if (!fits) throw internal_error("cannot broadcast " + shape_.str() + " to " + shape.str());
  view.shape_ = shape;
  return view;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor copy = empty(dtype_, shape_, device_);
  copy.copy_from(*this);
  return copy;
}

Tensor Tensor::as_contiguous() const { return contiguous() ? *this : clone(); }

void Tensor::copy_from(const Tensor& source) const {
  if (source.shape_ != shape_ || source.dtype_ != dtype_) {
    throw internal_error(fmt::format("copy of {} {} into {} {}", name_of(source.dtype_), source.shape_.str(),
                                     name_of(dtype_), shape_.str()));
  }
  if (source.device_ == device_) {
    WENDE_ON_DEVICE(device_, strided_copy(shape_, size_of(dtype_), source.data_, source.strides_, data_, strides_));
  } else if (!source.contiguous()) {
    copy_from(source.clone());
  } else if (contiguous()) {
    copy_bytes(data_, device_, source.data_, source.device_, bytes());
  } else {
    copy_from(on(device_, source));
  }
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  const Tensor dense = on_host(*this).as_contiguous();
  const T* values = dense.data<T>();
  return std::vector<T>(values, values + elements());
}

std::string Tensor::str(int64_t most) const {
  if (!defined()) return "undefined";
  std::string text = fmt::format("{} {} (", name_of(dtype_), shape_.str());
  const Tensor dense = on_host(*this).as_contiguous();
  const int64_t shown = std::min(most, elements());
  for (int64_t i = 0; i < shown; ++i) {
    if (i > 0) text += ' ';
    text += element_text(dtype_, dense.data_ + i * static_cast<int64_t>(size_of(dtype_)));
  }
  return text + (shown < elements() ? " ...)" : ")");
}

#define WENDE_INSTANTIATE(T)                                   \
  template Tensor Tensor::of<T>(const std::vector<T>&, Shape); \
  template T* Tensor::data<T>() const;                         \
  template std::vector<T> Tensor::to_vector<T>() const;
WENDE_INSTANTIATE(float)
WENDE_INSTANTIATE(double)
WENDE_INSTANTIATE(int32_t)
WENDE_INSTANTIATE(int64_t)
WENDE_INSTANTIATE(bool)
#undef WENDE_INSTANTIATE

}  // namespace wende
