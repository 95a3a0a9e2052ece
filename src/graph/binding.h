#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dims/dim.h"
#include "tensor/tensor.h"

namespace wende {

/// The sizes of one batch: what the symbolic Dims of a graph mean in this step.
class Binding {
 public:
  void bind(const Dim& dim, int64_t size);
  /// Lengths per sequence of a dynamic root dim; binds its size to the longest (0 for an empty batch) as well.
  void bind_lengths(const Dim& dim, std::vector<int32_t> lengths);

  /// Static size, bound size, or the formula of a derived dim. Throws internal_error for an unbound root.
  int64_t size(const Dim& dim) const;
  /// Per-sequence lengths; formulas are applied per sequence, negative lengths become 0.
  std::vector<int32_t> lengths(const Dim& dim) const;
  bool bound(const Dim& dim) const;
  /// Of all dims that have one, as numbers to compare.
  std::vector<uint64_t> root_sizes() const;
  Shape shape(const std::vector<Dim>& dims) const;
  void clear();

 private:
  std::unordered_map<uint64_t, int64_t> sizes_;
  std::unordered_map<uint64_t, std::vector<int32_t>> lengths_;
};

}  // namespace wende
