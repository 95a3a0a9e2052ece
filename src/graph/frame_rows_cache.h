#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "graph/binding.h"
#include "graph/padding.h"
#include "graph/program.h"

namespace wende {

/// The frames of a run that are no padding, by the two leading dims of values.
class FrameRowsCache {
 public:
  FrameRowsCache(const Program& program, Device device) : program_(program), device_(device) {}
  void clear() { rows_.clear(); }  ///< before each run
  /// Of a value [B,T,...] or [T,B,...]; nullptr when there is no padding. on_device: with places in memory of the
  /// device, the same from run to run. Lengths change from batch to batch, the size of the list there by steps of 1/32
  /// only.
  const FrameRows* rows(int value, const Binding& binding, bool on_device);
  /// What tells runs apart whose recorded launches read these rows.
  static void add_to_signature(const FrameRows* frames, std::vector<uint64_t>& signature);

 private:
  using Dims = std::pair<int, int>;
  void put_on_device(Dims dims, int64_t all, cpu::Rows& rows);

  const Program& program_;
  Device device_;
  std::map<Dims, FrameRows> rows_;
  std::map<Dims, Tensor> memory_;  ///< int64: of each row its place, then the list
};

}  // namespace wende
