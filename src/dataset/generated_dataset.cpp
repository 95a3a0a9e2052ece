#include "dataset/generated_dataset.h"

#include <fmt/core.h>

#include <algorithm>

namespace wende {

GeneratedDataset::GeneratedDataset(const Value& options, SeqOrderOptions order) : CorpusDataset(std::move(order)) {
  const Value* num_seqs = options.find("num_seqs");
  if (num_seqs == nullptr || num_seqs->kind() == Value::Kind::kFloat) {
    throw(num_seqs != nullptr ? *num_seqs : options).error("num_seqs must be set: endless datasets are not supported");
  }
  num_seqs_ = num_seqs->as_int();
  if (num_seqs_ <= 0) throw num_seqs->error(fmt::format("num_seqs must be positive, not {}", num_seqs_));
  const Value& ordering = options_.seq_ordering;
  if (ordering.is_string() && (ordering.as_string() == "sorted" || ordering.as_string() == "sorted_reverse")) {
    options_.seq_ordering = Value::of("default");
  }
}

std::string GeneratedDataset::corpus_tag(int64_t corpus_index) const { return fmt::format("seq-{}", corpus_index); }

void GeneratedDataset::set_keys(int64_t input_dim, int64_t output_dim, bool sparse_input) {
  KeyInfo& data = keys_["data"];
  data.dim = input_dim;
  data.sparse = sparse_input;
  data.dtype = sparse_input ? DType::kInt32 : DType::kFloat32;
  data.rank = sparse_input ? 1 : 2;
  KeyInfo& classes = keys_["classes"];
  classes.dim = output_dim;
  classes.sparse = true;
  classes.dtype = DType::kInt32;
  classes.rank = 1;
}

void GeneratedDataset::set_epoch(int epoch) {
  const std::lock_guard lock(mutex_);
  cache_.clear();
  CorpusDataset::set_epoch(epoch);
}

const GeneratedDataset::Labels& GeneratedDataset::cached(int64_t corpus_index) const {
  const std::lock_guard lock(mutex_);
  const auto found = cache_.find(corpus_index);
  if (found != cache_.end()) return found->second;
  RandomState random({options_.random_seed(epoch_), static_cast<uint32_t>(corpus_index)});
  return cache_.emplace(corpus_index, generate(corpus_index, random)).first->second;
}

int64_t GeneratedDataset::corpus_length(int64_t corpus_index, const std::string& key) const {
  const Labels& labels = cached(corpus_index);
  return static_cast<int64_t>(key == "data" ? labels.input.size() : labels.output.size());
}

Tensor GeneratedDataset::input_tensor(const Labels& labels) const {
  const KeyInfo& info = keys_.at("data");
  const int64_t frames = static_cast<int64_t>(labels.input.size());
  if (info.sparse) return Tensor::of(labels.input, {frames});
  Tensor one_hot = Tensor::zeros(DType::kFloat32, {frames, info.dim});
  float* row = one_hot.data<float>();
  for (int32_t label : labels.input) {
    row[label] = 1;
    row += info.dim;
  }
  return one_hot;
}

Sequence GeneratedDataset::corpus_load(int64_t corpus_index) {
  const Labels& labels = cached(corpus_index);
  Sequence sequence;
  sequence.tag = corpus_tag(corpus_index);
  sequence.data["data"] = input_tensor(labels);
  sequence.data["classes"] = Tensor::of(labels.output, {static_cast<int64_t>(labels.output.size())});
  return sequence;
}

}  // namespace wende
