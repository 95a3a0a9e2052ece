#pragma once

#include <cstdint>
#include <vector>

#include "dims/dim.h"
#include "kernels/rows.h"

namespace wende {

/// What an op does with padded frames: tensors that start with the axes [B,T] or [T,B]. Serves to leave them out.
struct PaddingRule {
  enum class Kind {
    kOpaque,     ///< may read padding anywhere
    kFrameWise,  ///< a frame of the output depends on the same frame of the inputs only
    kFrameSum,   ///< sums products over frames: padding adds nothing where one of zero_any is zero
    kRecurrent,  ///< reads no padding, as input `mask` (lengths) says where it is
    kMask,       ///< the mask or the lengths of `time` themselves
  };
  Kind kind = Kind::kOpaque;
  std::vector<int> zero_any;  ///< zero padding in one of these inputs gives zero padding in the outputs
  std::vector<int> zero_all;  ///< the same if all of them have it
  bool zero_every = false;    ///< the same if all inputs have it
  int mask = -1;              ///< input that is false in padding
  std::vector<int> masked;    ///< inputs that are not read where the mask is false
  int zero_outputs = 1;       ///< kRecurrent: so many first outputs are zero in padding
  bool zero = false;          ///< the output is zero everywhere
  bool skips = false;         ///< run() leaves out padding, writing zeros, when RunContext::frames() is given
  bool packs = false;  ///< values of these frames (kRecurrent: of the lengths) may come without padding, [frames,F]
  Dim time;            ///< kMask
};

/// Rows of [B,T] or [T,B] that are no padding, ascending.
struct FrameRows {
  cpu::Rows rows;
};

}  // namespace wende
