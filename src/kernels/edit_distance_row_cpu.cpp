#include "kernels/edit_distance_row.h"

namespace wende::cpu {
namespace {

EditRowData read(const EditRows& rows) {
  return {rows.last.data<int32_t>(), rows.count.data<int32_t>(),   rows.ended.data<int32_t>(),
          rows.b.data<int32_t>(),    rows.lengths.data<int32_t>(), rows.last.dim(1)};
}

}  // namespace

void next_edit_rows(const EditRows& rows, const Tensor& labels, const Tensor& out) {
  const EditRowData all = read(rows);
  for (int64_t i = 0; i < out.dim(0); ++i) {
    all.at(i).read(labels.data<int32_t>()[i], all.size, out.data<int32_t>() + i * all.size);
  }
}

void smallest_after_labels(const EditRows& rows, int64_t blank, const Tensor& out) {
  const EditRowData all = read(rows);
  const int64_t classes = out.dim(1);
  for (int64_t i = 0; i < out.elements(); ++i) {
    const EditRow row = all.at(i / classes);
    const int64_t label = i % classes;
    out.data<int32_t>()[i] = row.smallest(static_cast<int32_t>(label), !row.ended && label != blank);
  }
}

}  // namespace wende::cpu
