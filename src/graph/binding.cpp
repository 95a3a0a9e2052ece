#include "graph/binding.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "device/recorded_launch.h"

namespace wende {

namespace {

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

int64_t apply(Dim::Op op, int64_t a, int64_t b) {
  switch (op) {
    case Dim::Op::kAdd:
      return a + b;
    case Dim::Op::kSub:
      return std::max<int64_t>(a - b, 0);
    case Dim::Op::kMul:
      return a * b;
    case Dim::Op::kFloorDiv:
      return floor_div(a, b);
    case Dim::Op::kCeilDiv:
      return -floor_div(-a, b);
    case Dim::Op::kMax:
      return std::max(a, b);
    case Dim::Op::kRoot:
    case Dim::Op::kPacked:
      break;
  }
  throw internal_error("no formula for this dim");
}

}  // namespace

void Binding::bind(const Dim& dim, int64_t size) { sizes_[dim.id()] = size; }

void Binding::bind_lengths(const Dim& dim, std::vector<int32_t> lengths) {
  const int32_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  bind(dim, longest);
  lengths_[dim.id()] = std::move(lengths);
}

bool Binding::bound(const Dim& dim) const { return dim.is_static() || sizes_.count(dim.id()) != 0; }

int64_t Binding::size(const Dim& dim) const {
  if (dim.is_static()) {
    return dim.size();
  }
  if (const auto it = sizes_.find(dim.id()); it != sizes_.end()) {
    return it->second;
  }
  if (dim.op() == Dim::Op::kRoot) {
    throw internal_error(fmt::format("dim {} has no size in this batch", dim.str()));
  }
  if (dim.op() == Dim::Op::kPacked) {
    const std::vector<int32_t> each = lengths(dim.operands()[dim.operands()[0].is_batch() ? 1 : 0]);
    return std::accumulate(each.begin(), each.end(), int64_t{0});
  }
  int64_t result = size(dim.operands()[0]);
  for (size_t i = 1; i < dim.operands().size(); ++i) {
    result = apply(dim.op(), result, size(dim.operands()[i]));
  }
  return result;
}

std::vector<uint64_t> Binding::root_sizes() const {
  std::vector<std::pair<uint64_t, int64_t>> sorted(sizes_.begin(), sizes_.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<uint64_t> numbers;
  for (const auto& [id, size] : sorted) {
    numbers.push_back(id);
    numbers.push_back(static_cast<uint64_t>(size));
  }
  return numbers;
}

std::vector<int32_t> Binding::lengths(const Dim& dim) const {
  depends_on_host();
  if (const auto it = lengths_.find(dim.id()); it != lengths_.end()) {
    return it->second;
  }
  if (dim.is_static() || dim.op() == Dim::Op::kRoot || dim.op() == Dim::Op::kPacked) {
    throw internal_error(fmt::format("dim {} has no lengths in this batch", dim.str()));
  }
  std::vector<int32_t> result;
  for (const Dim& operand : dim.operands()) {
    std::vector<int32_t> each;
    if (operand.is_static() || operand.is_batch()) {
      each.assign(std::max<size_t>(result.size(), 1), static_cast<int32_t>(size(operand)));
    } else {
      each = lengths(operand);
      if (each.empty()) {
        return {};  // a batch without sequences
      }
    }
    if (result.empty() && &operand == &dim.operands().front()) {
      result = std::move(each);
      continue;
    }
    const size_t count = std::max(result.size(), each.size());
    result.resize(count, result.empty() ? 0 : result.back());
    each.resize(count, each.empty() ? 0 : each.back());
    for (size_t b = 0; b < count; ++b) {
      result[b] = static_cast<int32_t>(std::max<int64_t>(apply(dim.op(), result[b], each[b]), 0));
    }
  }
  return result;
}

Shape Binding::shape(const std::vector<Dim>& dims) const {
  Shape shape;
  for (const Dim& dim : dims) {
    shape.push_back(size(dim));
  }
  return shape;
}

void Binding::clear() {
  sizes_.clear();
  lengths_.clear();
}

}  // namespace wende
