#include "dataset/corpus_dataset.h"

#include <fmt/core.h>

namespace wende {

void CorpusDataset::init_epoch(int epoch) {
  set_epoch(epoch);
  order_ = make_order(epoch);
}

std::vector<int64_t> CorpusDataset::make_order(int epoch) {
  return order_sequences(
      options_, epoch, corpus_size(),
      [this](int64_t i) { return options_.lengths ? options_.length_of(corpus_tag(i)) : corpus_order_length(i); },
      [this](int64_t i) { return corpus_tag(i); });
}

Sequence CorpusDataset::load(int64_t index) {
  Sequence sequence = corpus_load(corpus_index(index));
  sequence.index = index;
  return sequence;
}

int64_t CorpusDataset::corpus_index(int64_t index) const {
  if (index < 0 || index >= static_cast<int64_t>(order_.size())) {
    throw internal_error(fmt::format("sequence {} of {} asked for", index, order_.size()));
  }
  return order_[static_cast<size_t>(index)];
}

}  // namespace wende
