#pragma once

#include <cstdint>
#include <vector>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Levenshtein distance: substitutions, insertions and deletions cost 1.
int32_t edit_distance(const std::vector<int32_t>& a, const std::vector<int32_t>& b);

/// The sequences of a batch.
struct EditDistances {
  Tensor a, a_lengths;  ///< int32 [B,T] or, time_major, [T,B]; int32 [B]
  Tensor b, b_lengths;  ///< int32 [B,U]; int32 [B]
  bool time_major = false;
  int32_t blank = -1;              ///< not negative: a holds best classes by frame; repeats become one, blanks none
  bool collapse_b = false;         ///< repeats become one
  std::vector<int32_t> label_map;  ///< what labels 0, 1, ... of both count as; others stay
  Tensor out;                      ///< float [B]
};
void edit_distances(const EditDistances& batch);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(edit_distances)
