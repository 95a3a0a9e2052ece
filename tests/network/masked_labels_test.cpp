#include <gtest/gtest.h>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

constexpr int64_t kLabels = 5, kBlank = 5, kFrames = 4, kFeatures = 2;

/// The embedding of each frame's label where it is not `skipped`, else that of the frame before. [T,F], one sequence.
std::vector<float> embeddings(const std::vector<int32_t>& labels, int64_t skipped) {
  const auto network = network_of(
      "extern_data = {'data': {'dim': 6, 'sparse': True}}\n"
      "network = {'output': {'class': 'rec', 'from': 'data', 'unit': {\n"
      "  'is_label': {'class': 'compare', 'from': 'data:source', 'kind': 'not_equal', 'value': " +
      std::to_string(skipped) +
      "},\n"
      "  'label': {'class': 'reinterpret_data', 'from': 'data:source', 'set_sparse_dim': 5},\n"
      "  'output': {'class': 'masked_computation', 'mask': 'is_label', 'from': 'label', 'unit': {\n"
      "    'class': 'linear', 'activation': None, 'with_bias': False, 'n_out': 2, 'from': 'data'}}}}}\n");
  const Data& data = network->extern_data().keys.at("data");
  Executor executor(network->graph(), {{network->find_layer("output")->output.expr, {}}});
  executor.bind("data:data", Tensor::of(labels, {1, kFrames}));
  std::vector<float> rows;
  for (int64_t i = 0; i < kLabels * kFeatures; ++i) rows.push_back(static_cast<float>(i + 1));
  const Tensor weights = Tensor::of(rows, {kLabels, kFeatures});
  executor.bind(network->params().at(0).name, weights);
  Binding binding;
  binding.bind(data.dims[0], 1);
  binding.bind_lengths(data.dims[1], {kFrames});
  const Tensor y = executor.run(binding)[0].clone();
  return {y.data<float>(), y.data<float>() + kFrames * kFeatures};
}

/// A transducer's language model does not know the blank label, and need not: it keeps what it gave before.
TEST(MaskedComputation, IgnoresUnknownLabelsWhereItIsMasked) {
  const std::vector<float> zeros_then_kept{0, 0, 5, 6, 5, 6, 9, 10};
  EXPECT_EQ(embeddings({kBlank, 2, kBlank, 4}, kBlank), zeros_then_kept);
}

TEST(MaskedComputation, RefusesUnknownLabelsThatItReads) { EXPECT_THROW(embeddings({kBlank, 2, kBlank, 4}, 1), Error); }

}  // namespace
}  // namespace wende
