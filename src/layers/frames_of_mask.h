#pragma once

#include "graph/graph.h"

namespace wende {

/// The frames of sequences where a mask is true, moved together to the beginning.
struct FramesOfMask {
  Dim to;       ///< the axis of these frames, with the lengths that the mask says
  Expr valid;   ///< bool [T,B]
  Expr places;  ///< int32 [T,B]: the frame's row of [to*B]; 0 where the mask is false
};

/// valid: bool [T,B], false on padding. `to`, a root, gets its lengths here: not in the body of a loop.
FramesOfMask frames_of_mask(Expr valid, const Dim& to);
/// x [T,B,...] -> [to,B,...].
Expr kept_frames(const FramesOfMask& frames, Expr x);

}  // namespace wende
