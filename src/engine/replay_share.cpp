#include "engine/replay_share.h"

namespace wende {
namespace {

/// These rows of axis 0.
Tensor rows_of(const Tensor& x, const std::vector<int64_t>& rows) {
  std::vector<int64_t> sizes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    sizes.push_back(axis == 0 ? static_cast<int64_t>(rows.size()) : x.dim(axis));
  }
  const Tensor result = Tensor::empty(x.dtype(), Shape(sizes));
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto to = static_cast<int64_t>(i);
    result.sliced(0, to, to + 1).copy_from(x.sliced(0, rows[i], rows[i] + 1));
  }
  return result;
}

}  // namespace

std::optional<Batch> share_of(const Batch& batch, const ExternData& extern_data, int rank, int size) {
  std::vector<int64_t> rows;
  for (int64_t row = rank; row < batch.size(); row += size) {
    rows.push_back(row);
  }
  if (rows.empty()) {
    return {};
  }
  Batch share;
  for (const int64_t row : rows) {
    share.tags.push_back(batch.tags[static_cast<size_t>(row)]);
    share.indices.push_back(batch.indices[static_cast<size_t>(row)]);
  }
  for (const auto& [name, lengths] : batch.lengths) {
    for (const int64_t row : rows) {
      share.lengths[name].push_back(lengths.at(static_cast<size_t>(row)));
    }
  }
  for (const auto& [key, tensor] : batch.data) {
    const auto known = extern_data.keys.find(key);
    const int batch_axis = known == extern_data.keys.end() ? 0 : known->second.batch_axis();
    if (batch_axis < 0) {
      share.data[key] = tensor;
      continue;
    }
    share.data[key] = rows_of(tensor, rows);
  }
  return share;
}

}  // namespace wende
