#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/device.h"

namespace wende {

/// kComplex64: two float32 in turn, real and imaginary part. Graphs compute with the parts (ops/complex.h).
enum class DType : uint8_t { kFloat32, kFloat64, kInt32, kInt64, kBool, kComplex64 };

size_t size_of(DType dtype);
std::string_view name_of(DType dtype);         ///< "float32"
DType dtype_from_name(std::string_view name);  ///< throws Error kConfig for unknown names

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kFloat32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kFloat64;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::kInt32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::kInt64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::kBool;
}

constexpr int kMaxRank = 8;

/// Sizes of up to kMaxRank axes; a plain value without heap memory.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes);
  explicit Shape(const std::vector<int64_t>& sizes);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return sizes_[static_cast<size_t>(axis)]; }
  int64_t& operator[](int axis) { return sizes_[static_cast<size_t>(axis)]; }
  const int64_t* begin() const { return sizes_.data(); }
  const int64_t* end() const { return sizes_.data() + rank_; }
  int64_t elements() const;  ///< 1 for rank 0
  void push_back(int64_t size);
  Shape without(int axis) const;
  bool operator==(const Shape& other) const;
  std::string str() const;  ///< "[2,3]"

 private:
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// A strided view of numbers. Knows nothing of batch, time or feature. Copying shares the memory.
/// Strides count elements; 0 = broadcast.
class Tensor {
 public:
  Tensor() = default;  ///< undefined: defined() is false

  static Tensor empty(DType dtype, Shape shape, Device device = Device::cpu());
  static Tensor zeros(DType dtype, Shape shape, Device device = Device::cpu());
  template <class T>
  static Tensor of(const std::vector<T>& values, Shape shape);
  static Tensor scalar(float value);
  /// A contiguous view of foreign memory; `owner` may be null when the caller keeps the memory alive.
  static Tensor wrap(DType dtype, Shape shape, std::byte* data, std::shared_ptr<Buffer> owner = nullptr,
                     Device device = Device::cpu());

  bool defined() const { return data_ != nullptr; }  ///< true for empty tensors as well
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int axis) const { return shape_[axis < 0 ? axis + shape_.rank() : axis]; }
  const Shape& strides() const { return strides_; }
  int64_t elements() const { return shape_.elements(); }
  size_t bytes() const { return static_cast<size_t>(elements()) * size_of(dtype_); }
  Device device() const { return device_; }
  bool contiguous() const;

  /// Typed pointer to the first element; throws internal_error on a wrong type.
  template <class T>
  T* data() const;
  std::byte* raw() const { return data_; }
  const std::shared_ptr<Buffer>& owner() const { return owner_; }  ///< of the memory; may be null

  /// Views: same memory, other shape or strides.
  Tensor reshaped(Shape shape) const;  ///< needs contiguous()
  Tensor permuted(const std::vector<int>& axes) const;
  Tensor sliced(int axis, int64_t begin, int64_t end) const;
  /// `count` elements of one axis: begin, begin + step, ...; step may be negative.
  Tensor strided(int axis, int64_t begin, int64_t count, int64_t step) const;
  Tensor broadcast_to(Shape shape) const;  ///< same rank; axes of size 1 get stride 0

  /// Copies into new contiguous memory.
  Tensor clone() const;
  /// This if contiguous, else clone().
  Tensor as_contiguous() const;
  /// Element-wise copy from a tensor of the same shape and dtype (strides may differ on both sides).
  void copy_from(const Tensor& source) const;
  template <class T>
  std::vector<T> to_vector() const;  ///< in C order, whatever the strides
  std::string str(int64_t most = 8) const;

 private:
  DType dtype_ = DType::kFloat32;
  Shape shape_{0};
  Shape strides_{1};
  std::byte* data_ = nullptr;
  std::shared_ptr<Buffer> owner_;
  Device device_;
};

}  // namespace wende
