#pragma once

#include "dims/dim.h"

namespace wende {

/// The axis of the frames that self-attention remembers in a loop over `time`: as long, but not the loop's own axis.
inline Dim attention_keys(const Dim& time) {
  return Dim::derived(Dim::Op::kMul, {time, Dim::fixed(1, Dim::Kind::kSpatial)}, Dim::Kind::kSpatial, "keys");
}

}  // namespace wende
