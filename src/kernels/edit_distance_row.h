#pragma once

#include <cstdint>

#include "device/host_device.h"
#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende {

/// One sequence of a batch: entry u of its row is the distance of what was read so far to the first u labels of b.
struct EditRow {
  const int32_t* last;  ///< [U+1]
  const int32_t* b;     ///< [U]
  int32_t count;        ///< labels read so far
  bool ended;
  int64_t length;  ///< of b

  /// Entry u after one label more, next to entry u - 1 of the same row.
  WENDE_HD int32_t entry(int64_t u, int32_t label, int32_t before) const {
    if (u == 0) return count + 1;
    const int32_t substituted = last[u - 1] + (label == b[u - 1] ? 0 : 1);
    const int32_t moved = (last[u] < before ? last[u] : before) + 1;
    return moved < substituted ? moved : substituted;
  }

  /// All entries after the label; behind the end of b the last one again.
  WENDE_HD void read(int32_t label, int64_t size, int32_t* row) const {
    int32_t distance = 0;
    for (int64_t u = 0; u < size; ++u) {
      if (u <= length) distance = ended ? last[u] : entry(u, label, distance);
      row[u] = distance;
    }
  }

  /// The smallest entry, after the label if it is read.
  WENDE_HD int32_t smallest(int32_t label, bool is_read) const {
    int32_t distance = 0;
    int32_t least = INT32_MAX;
    for (int64_t u = 0; u <= length; ++u) {
      distance = is_read ? entry(u, label, distance) : last[u];
      if (distance < least) least = distance;
    }
    return least;
  }
};

/// The sequences of a batch, int32.
struct EditRowData {
  const int32_t* last;     ///< [B,U+1]
  const int32_t* count;    ///< [B]
  const int32_t* ended;    ///< [B]: 0 or not
  const int32_t* b;        ///< [B,U]
  const int32_t* lengths;  ///< [B]
  int64_t size = 0;

  WENDE_HD EditRow at(int64_t i) const {
    const int64_t length = lengths[i] < size - 1 ? lengths[i] : size - 1;
    return {last + i * size, b + i * (size - 1), count[i], ended[i] != 0, length};
  }
};

namespace cpu {

struct EditRows {
  const Tensor& last;
  const Tensor& count;
  const Tensor& ended;
  const Tensor& b;
  const Tensor& lengths;
};

/// The rows after the labels [B], to out [B,U+1]. Rows of sequences that have ended stay.
void next_edit_rows(const EditRows& rows, const Tensor& labels, const Tensor& out);
/// For each label of [0,V): the smallest entry of the row after it, to out [B,V]. The blank leaves the row as it is.
void smallest_after_labels(const EditRows& rows, int64_t blank, const Tensor& out);

}  // namespace cpu
}  // namespace wende

WENDE_CUDA_KERNEL(next_edit_rows)
WENDE_CUDA_KERNEL(smallest_after_labels)
