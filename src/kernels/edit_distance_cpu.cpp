#include <algorithm>
#include <numeric>

#include "kernels/edit_distance.h"

namespace wende::cpu {
namespace {

void map(const std::vector<int32_t>& label_map, std::vector<int32_t>& labels) {
  for (int32_t& label : labels) {
    if (label >= 0 && static_cast<size_t>(label) < label_map.size()) label = label_map[static_cast<size_t>(label)];
  }
}

std::vector<int32_t> first_sequence(const EditDistances& batch, int64_t b) {
  const int64_t times = batch.a.dim(batch.time_major ? 0 : 1);
  const int64_t frame = batch.time_major ? batch.a.dim(1) : 1;
  const int32_t* labels = batch.a.data<int32_t>() + b * (batch.time_major ? 1 : times);
  std::vector<int32_t> result;
  for (int64_t t = 0; t < std::min<int64_t>(batch.a_lengths.data<int32_t>()[b], times); ++t) {
    const int32_t label = labels[t * frame];
    const bool repeats = t > 0 && label == labels[(t - 1) * frame];
    if (batch.blank < 0 || (label != batch.blank && !repeats)) result.push_back(label);
  }
  return result;
}

}  // namespace

int32_t edit_distance(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  std::vector<int32_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int32_t diagonal = row[0];
    row[0] = static_cast<int32_t>(i) + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const int32_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

void edit_distances(const EditDistances& batch) {
  const int64_t width = batch.b.dim(1);
  for (int64_t b = 0; b < batch.b.dim(0); ++b) {
    std::vector<int32_t> first = first_sequence(batch, b);
    const int32_t* row = batch.b.data<int32_t>() + b * width;
    std::vector<int32_t> second(row, row + std::min<int64_t>(batch.b_lengths.data<int32_t>()[b], width));
    if (batch.collapse_b) second.erase(std::unique(second.begin(), second.end()), second.end());
    map(batch.label_map, first);
    map(batch.label_map, second);
    batch.out.data<float>()[b] = static_cast<float>(edit_distance(first, second));
  }
}

}  // namespace wende::cpu
