#pragma once

#include <map>
#include <utility>

#include "graph/binding.h"
#include "graph/padding.h"
#include "graph/program.h"

namespace wende {

/// The frames of a run that are no padding, by the two leading dims of values.
class FrameRowsCache {
 public:
  explicit FrameRowsCache(const Program& program) : program_(program) {}
  void clear() { rows_.clear(); }  ///< before each run
  /// Of a value [B,T,...] or [T,B,...]; nullptr when there is no padding.
  const FrameRows* rows(int value, const Binding& binding);

 private:
  const Program& program_;
  std::map<std::pair<int, int>, FrameRows> rows_;
};

}  // namespace wende
