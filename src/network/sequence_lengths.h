#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "graph/graph.h"

namespace wende {

/// The lengths of axes and the masks of their valid positions, as expressions of one graph; each is made once.
class SequenceLengths {
 public:
  explicit SequenceLengths(Graph& graph) : graph_(&graph) {}

  /// int32 [B]: the valid positions of `dim` in each row of `batch`.
  Expr of(const Dim& dim, const Dim& batch);
  /// bool [B,T], or [T,B] where time_major: which positions of `time` are valid.
  Expr mask(const Dim& time, const Dim& batch, bool time_major);

  /// `lengths` [B] is computed by a layer (its sub-output "lengths"), as of chunks.
  void set_own(const Dim& dim, Expr lengths) { own_[dim.id()] = lengths; }
  /// Undefined: the lengths of the axis follow from those of the data. Throws kConfig for an axis made of one that has
  /// lengths of its own.
  Expr own(const Dim& dim) const;

  /// The lengths of `time` belong to hypotheses: `rows` is [B*beam].
  void set_rows(const Dim& time, const Dim& rows) { rows_[time.id()] = rows; }
  /// The batch axis of the lengths of `time`: that of its hypotheses, else `otherwise`.
  Dim rows_of(const Dim& time, const Dim& otherwise) const;

 private:
  Graph* graph_;
  std::map<std::pair<uint64_t, uint64_t>, Expr> lengths_;       ///< by the ids of axis and batch
  std::map<std::tuple<uint64_t, uint64_t, bool>, Expr> masks_;  ///< by the ids of axis and batch, and time_major
  std::map<uint64_t, Expr> own_;
  std::map<uint64_t, Dim> rows_;
};

}  // namespace wende
