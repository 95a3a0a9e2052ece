#include "graph/row_identity.h"

#include <algorithm>

namespace wende {
namespace {

const Dim& row_dim() {
  static const Dim dim = Dim::dynamic("rows of the batch");
  return dim;
}

constexpr size_t kWords = 4;  ///< per piece: row, identity (low, high), offset

}  // namespace

void bind_rows(Binding& binding, const cpu::RandomRows& rows) {
  std::vector<int32_t> words;
  for (size_t row = 0; row < rows.size(); ++row) {
    for (const cpu::RandomPiece& piece : rows[row]) {
      words.insert(words.end(), {static_cast<int32_t>(row), static_cast<int32_t>(piece.id),
                                 static_cast<int32_t>(piece.id >> 32), static_cast<int32_t>(piece.offset)});
    }
  }
  binding.bind_lengths(row_dim(), std::move(words));
  binding.bind(row_dim(), 0);  // the largest word is no size: sizes say which recorded launches fit a batch
}

cpu::RandomRows rows_of(const Binding& binding) {
  cpu::RandomRows rows;
  if (!binding.bound(row_dim())) {
    return rows;
  }
  const std::vector<int32_t> words = binding.lengths(row_dim());
  for (size_t i = 0; i + kWords <= words.size(); i += kWords) {
    const auto row = static_cast<size_t>(words[i]);
    rows.resize(std::max(rows.size(), row + 1));
    const uint64_t id = static_cast<uint32_t>(words[i + 1]) | static_cast<uint64_t>(static_cast<uint32_t>(words[i + 2]))
                                                                  << 32;
    rows[row].push_back({id, words[i + 3]});
  }
  return rows;
}

}  // namespace wende
