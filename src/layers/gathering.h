#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "layers/axis_order.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {

/// int32 scalar: how many elements an axis has in this batch.
inline Expr dim_size(Graph& graph, const Dim& dim) {
  return ops::reduce(ops::Reduction::kSum, ops::constant(graph, 1.0, DType::kInt32, {dim}), {0});
}

/// Reading x at positions along one axis: axes that both have are walked together.
class Gathering {
 public:
  Gathering() = default;
  /// batch_only: no other axes than the batch are common.
  Gathering(const Data& x, const Data& position, int axis, bool batch_only = false)
      : x_(x), position_(position), axis_(axis), batch_only_(batch_only) {
    for (int i = 0; i < x.rank(); ++i) {
      const int partner = i == axis ? -1 : partner_of(i);
      if (partner >= 0) {
        common_.push_back(i);
        common_position_.push_back(partner);
      } else if (i != axis) {
        rest_.push_back(i);
      }
    }
    for (int i = 0; i < position.rank(); ++i) {
      if (std::find(common_position_.begin(), common_position_.end(), i) == common_position_.end()) {
        own_position_.push_back(i);
      }
    }
    before_ = std::max(0, axis - static_cast<int>(common_.size()));
    before_ = std::min(before_, static_cast<int>(rest_.size()));
  }

  /// Common axes, x's axes before the one that is read, positions, x's other axes.
  Data out_data(const std::string& name) const {
    Data out = x_.with_name(name);
    out.dims.clear();
    out.time_axis = out.feature_axis = -1;
    const auto add = [&out](const Data& from, int axis, bool marks) {
      out.time_axis = marks && axis == from.time_axis ? out.rank() : out.time_axis;
      out.feature_axis = marks && axis == from.feature_axis ? out.rank() : out.feature_axis;
      out.dims.push_back(from.dims[static_cast<size_t>(axis)]);
    };
    for (const int axis : common_) add(x_, axis, true);
    for (int i = 0; i < before_; ++i) add(x_, rest_[static_cast<size_t>(i)], true);
    const bool time_gone = x_.time_axis < 0 || x_.time_axis == axis_;
    const int first = out.rank();
    for (const int axis : own_position_) add(position_, axis, false);
    for (size_t i = static_cast<size_t>(before_); i < rest_.size(); ++i) add(x_, rest_[i], true);
    for (size_t i = 0; time_gone && out.time_axis < 0 && i < own_position_.size(); ++i) {
      out.time_axis = own_position_[i] == position_.time_axis ? first + static_cast<int>(i) : out.time_axis;
    }
    if (out.feature_axis < 0 && !out.sparse()) {
      Data marked = out;
      marked.set_default_marks();
      out.feature_axis = marked.feature_axis == out.time_axis ? -1 : marked.feature_axis;
    }
    return out;
  }

  Expr build(Expr x, Expr position) const {
    Graph& graph = *x.graph;
    position = permute_if_needed(ops::cast(position, DType::kInt32), order(common_position_, own_position_, -1));
    x = permute_if_needed(x, order(common_, rest_, axis_));
    const std::vector<Dim> position_dims = position.dims();
    if (!common_.empty()) {
      const Dim& read = x_.dims[static_cast<size_t>(axis_)];
      const std::vector<Dim> common(position_dims.begin(), position_dims.begin() + count(common_));
      const Dim rows = common.size() == 1 ? common[0] : Dim::derived(Dim::Op::kMul, common);
      std::vector<Dim> table{Dim::derived(Dim::Op::kMul, {rows, read})};
      table.insert(table.end(), x.dims().begin() + count(common_) + 1, x.dims().end());
      x = ops::reshape(x, table);
      std::vector<Dim> flat{rows};
      flat.insert(flat.end(), position_dims.begin() + count(common_), position_dims.end());
      Expr start = ops::mul(ops::range(graph, rows), dim_size(graph, read));
      while (start.rank() < static_cast<int>(flat.size())) {
        start = ops::expand_dims(start, start.rank());
      }
      position = ops::add(ops::reshape(position, flat), start);
    }
    Expr y = ops::gather(x, position);
    std::vector<Dim> dims = position_dims;
    dims.insert(dims.end(), y.dims().end() - count(rest_), y.dims().end());
    return permute_if_needed(ops::reshape(y, dims), out_order());
  }

 private:
  static std::ptrdiff_t count(const std::vector<int>& axes) { return static_cast<std::ptrdiff_t>(axes.size()); }

  int partner_of(int axis) const {
    const Dim& dim = x_.dims[static_cast<size_t>(axis)];
    if (batch_only_ && !dim.is_batch()) {
      return -1;
    }
    for (int i = 0; i < position_.rank(); ++i) {
      const Dim& other = position_.dims[static_cast<size_t>(i)];
      const bool taken = std::find(common_position_.begin(), common_position_.end(), i) != common_position_.end();
      if (!taken &&
          (dim == other || (dim.is_batch() && other.is_batch()) || (dim.is_dynamic() && dim.same_size(other)))) {
        return i;
      }
    }
    return -1;
  }

  /// common, then `read` unless -1, then rest.
  static std::vector<int> order(const std::vector<int>& common, const std::vector<int>& rest, int read) {
    std::vector<int> result = common;
    if (read >= 0) {
      result.push_back(read);
    }
    result.insert(result.end(), rest.begin(), rest.end());
    return result;
  }

  /// From common, positions, rest to the axes of out_data.
  std::vector<int> out_order() const {
    std::vector<int> result;
    const int first = static_cast<int>(common_.size());
    const int positions = static_cast<int>(own_position_.size());
    for (int i = 0; i < first; ++i) result.push_back(i);
    for (int i = 0; i < before_; ++i) result.push_back(first + positions + i);
    for (int i = 0; i < positions; ++i) result.push_back(first + i);
    for (int i = before_; i < static_cast<int>(rest_.size()); ++i) result.push_back(first + positions + i);
    return result;
  }

  Data x_, position_;
  int axis_ = 0;
  bool batch_only_ = false;
  std::vector<int> common_, common_position_, rest_, own_position_;
  int before_ = 0;
};

}  // namespace wende
