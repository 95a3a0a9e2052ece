#pragma once

#include "graph/graph.h"

namespace wende::ops {

struct TopK {
  Expr values;   ///< [...,k], largest first
  Expr indices;  ///< int32 [...,k], into the last axis of x
};

/// The k largest of the last axis; of equal ones the first comes first.
TopK top_k(Expr x, const Dim& k);

}  // namespace wende::ops
