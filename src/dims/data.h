#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dims/dim.h"
#include "tensor/tensor.h"

namespace wende {

/// The template of a layer's output: axes and type, no numbers. RETURNN's `Data`. A plain value.
struct Data {
  std::string name;
  std::vector<Dim> dims;
  DType dtype = DType::kFloat32;
  Dim sparse_dim;         ///< defined iff the values are indices into it
  int time_axis = -1;     ///< index into dims, -1 = none
  int feature_axis = -1;  ///< index into dims, -1 = none (sparse data has none)
  bool available_for_inference = true;

  int rank() const { return static_cast<int>(dims.size()); }
  bool sparse() const { return sparse_dim.defined(); }
  int batch_axis() const;  ///< -1 = none
  bool has_batch() const { return batch_axis() >= 0; }
  bool has_time() const { return time_axis >= 0; }
  Dim time_dim() const;  ///< undefined if none
  /// Feature dim, or the sparse dim of sparse data; undefined if neither.
  Dim feature_or_sparse_dim() const;
  /// Axes with size not known before the batch, without the batch axis; in axis order.
  std::vector<int> dynamic_axes() const;
  /// RETURNN's word "spatial": not batch, and (not feature, or is time, or dynamic).
  std::vector<int> spatial_axes() const;
  std::vector<int> static_axes() const;  ///< not batch, fixed size
  int axis_of(const Dim& dim) const;     ///< by identity, -1 = none

  /// Copies with one thing changed.
  Data with_name(std::string name) const;
  Data without_axis(int axis) const;      ///< keeps the marks of the others
  Data with_axis(int at, Dim dim) const;  ///< inserts; marks shift
  Data with_feature(Dim dim) const;       ///< replaces the feature dim, or appends one
  Data permuted(const std::vector<int>& order) const;
  /// Default marks: time = first dynamic (else first spatial) axis, feature = last static axis that is not time.
  void set_default_marks();

  std::string str() const;  ///< "[B,T|'time:data'[B],F|'data:feature'(40)] float32"
};

/// The template that several sources combine to (semantics section 3): layout of the first source with the largest
/// rank.
Data common_layout(const std::vector<Data>& sources, const std::string& name);

}  // namespace wende
