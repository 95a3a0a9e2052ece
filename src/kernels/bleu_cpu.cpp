#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/bleu.h"

namespace wende::cpu {

double bleu_score(const std::vector<int32_t>& reference, const std::vector<int32_t>& hypothesis) {
  constexpr size_t kOrders = 4;
  using Counts = std::map<std::vector<int32_t>, int64_t>;
  const auto ngrams = [](const std::vector<int32_t>& labels, size_t order) {
    Counts counts;
    for (size_t i = 0; i + order <= labels.size(); ++i) {
      const auto begin = labels.begin() + static_cast<std::ptrdiff_t>(i);
      ++counts[std::vector<int32_t>(begin, begin + static_cast<std::ptrdiff_t>(order))];
    }
    return counts;
  };
  double log_sum = 0;
  double smooth = 1;
  bool any = false;
  for (size_t order = 1; order <= kOrders; ++order) {
    const Counts own = ngrams(hypothesis, order);
    const Counts wanted = ngrams(reference, order);
    int64_t possible = 0;
    int64_t matches = 0;
    for (const auto& [ngram, count] : own) {
      const auto found = wanted.find(ngram);
      possible += count;
      matches += found == wanted.end() ? 0 : std::min(count, found->second);
    }
    if (possible == 0) continue;
    if (matches == 0) smooth *= 2;
    const double part = matches > 0 ? static_cast<double>(matches) : 1.0 / smooth;
    log_sum += std::log(part / static_cast<double>(possible));
    any = true;
  }
  if (!any || hypothesis.empty()) return 0.0;
  const double ratio = static_cast<double>(hypothesis.size()) / static_cast<double>(reference.size());
  const double brevity = ratio < 1.0 ? std::exp(1.0 - 1.0 / ratio) : 1.0;
  return std::exp(log_sum / static_cast<double>(kOrders)) * brevity;
}

}  // namespace wende::cpu
