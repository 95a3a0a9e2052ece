#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wende {

Shape::Shape(std::initializer_list<int64_t> sizes) {
  for (const int64_t size : sizes) push_back(size);
}

Shape::Shape(const std::vector<int64_t>& sizes) {
  for (const int64_t size : sizes) push_back(size);
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (const int64_t size : *this) product *= size;
  return product;
}

void Shape::push_back(int64_t size) {
  if (rank_ == kMaxRank) {
    throw Error(ExitStatus::kConfig, fmt::format("a tensor would get more than {} axes", kMaxRank));
  }
  sizes_[static_cast<size_t>(rank_++)] = size;
}

Shape Shape::without(int axis) const {
  Shape rest;
  for (int i = 0; i < rank_; ++i) {
    if (i != axis) rest.push_back((*this)[i]);
  }
  return rest;
}

bool Shape::operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", (*this)[i]);
  return text + "]";
}

}  // namespace wende
