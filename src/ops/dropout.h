#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// floor(keep + U) / keep with U = Philox(seed, step, key, sequence, frame, element): float of the given dims (static
/// 1 = shared). Which numbers a sequence gets does not depend on the batch or the rank that holds it.
/// A mask of fixed size has the numbers that TensorFlow's op with the seed `key` gives in this step.
Expr dropout_mask(Graph& graph, std::vector<Dim> dims, double keep, uint32_t key);
/// N(0, stddev), fresh in each step; always_same: those of the first.
Expr random_normal(Graph& graph, std::vector<Dim> dims, double stddev, uint32_t key, bool always_same = false);
/// U[low, high).
Expr random_uniform(Graph& graph, std::vector<Dim> dims, double low, double high, uint32_t key,
                    bool always_same = false);

}  // namespace wende::ops
