#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/random_state.h"
#include "dataset/corpus_dataset.h"

namespace wende {

/// Artificial data, made anew from a random seed (that of the epoch and the corpus index) whenever asked for.
/// Sorted orders are taken as "default", as in RETURNN.
class GeneratedDataset : public CorpusDataset {
 public:
  struct Labels {
    std::vector<int32_t> input, output;
  };
  GeneratedDataset(const Value& options, SeqOrderOptions order);

  std::map<std::string, KeyInfo> keys() const override { return keys_; }
  int64_t corpus_size() const override { return num_seqs_; }
  std::string corpus_tag(int64_t corpus_index) const override;
  int64_t corpus_length(int64_t corpus_index, const std::string& key) const override;
  Sequence corpus_load(int64_t corpus_index) override;
  void set_epoch(int epoch) override;

 protected:
  virtual Labels generate(int64_t corpus_index, RandomState& random) const = 0;
  /// "data" (one-hot unless sparse) and "classes".
  void set_keys(int64_t input_dim, int64_t output_dim, bool sparse_input);
  virtual Tensor input_tensor(const Labels& labels) const;

  std::map<std::string, KeyInfo> keys_;

 private:
  const Labels& cached(int64_t corpus_index) const;

  int64_t num_seqs_ = 0;
  mutable std::mutex mutex_;
  mutable std::map<int64_t, Labels> cache_;
};

}  // namespace wende
