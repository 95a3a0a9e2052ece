#include <algorithm>
#include <map>
#include <vector>

#include "kernels/bleu.h"

namespace wende::cpu {
namespace {

using Labels = std::vector<int32_t>;
using Counts = std::map<Labels, int64_t>;

Labels row_of(const Tensor& labels, const Tensor& lengths, int64_t b) {
  const int32_t* row = labels.data<int32_t>() + b * labels.dim(1);
  return {row, row + std::min<int64_t>(lengths.data<int32_t>()[b], labels.dim(1))};
}

Counts ngrams(const Labels& labels, size_t order) {
  Counts counts;
  for (size_t i = 0; i + order <= labels.size(); ++i) {
    const auto begin = labels.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[Labels(begin, begin + static_cast<std::ptrdiff_t>(order))];
  }
  return counts;
}

BleuCounts counts_of(const Labels& hypothesis, const Labels& reference) {
  BleuCounts counts;
  counts.length = static_cast<int64_t>(hypothesis.size());
  counts.reference_length = static_cast<int64_t>(reference.size());
  for (size_t order = 1; order <= BleuCounts::kOrders; ++order) {
    const Counts wanted = ngrams(reference, order);
    for (const auto& [ngram, count] : ngrams(hypothesis, order)) {
      const auto found = wanted.find(ngram);
      counts.matches[order - 1] += found == wanted.end() ? 0 : std::min(count, found->second);
    }
  }
  return counts;
}

}  // namespace

void bleu_scores(const BleuBatch& batch, const Tensor& out) {
  for (int64_t b = 0; b < out.elements(); ++b) {
    const BleuCounts counts =
        counts_of(row_of(batch.hypotheses, batch.lengths, b), row_of(batch.references, batch.reference_lengths, b));
    out.data<float>()[b] = static_cast<float>(counts.score());
  }
}

}  // namespace wende::cpu
