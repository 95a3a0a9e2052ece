#include <fmt/core.h>

#include "dataset/corpus_dataset.h"

namespace wende {

namespace {

/// Arrays written in the config: [T,F] is dense, [T] are labels.
class StaticDataset : public CorpusDataset {
 public:
  StaticDataset(const Value& options, SeqOrderOptions order) : CorpusDataset(std::move(order)) {
    const Value* data = options.find("data");
    if (data == nullptr || data->items().empty()) throw options.error("StaticDataset needs \"data\", a list of dicts");
    for (const Value& item : data->items()) {
      std::map<std::string, Tensor>& sequence = sequences_.emplace_back();
      for (const auto& [key, value] : item.entries()) sequence[key.as_string()] = tensor_of(value);
    }
    for (const auto& [key, tensor] : sequences_.front()) keys_[key] = info_of(tensor, key, options);
    for (const auto& sequence : sequences_) {
      for (const auto& [key, info] : keys_) {
        const auto found = sequence.find(key);
        if (found == sequence.end() || found->second.rank() != info.rank) {
          throw data->error(fmt::format("StaticDataset: all sequences must have '{}' with {} axes", key, info.rank));
        }
      }
    }
  }

  std::map<std::string, KeyInfo> keys() const override { return keys_; }
  int64_t corpus_size() const override { return static_cast<int64_t>(sequences_.size()); }
  std::string corpus_tag(int64_t index) const override { return fmt::format("seq-{}", index); }
  int64_t corpus_length(int64_t index, const std::string& key) const override {
    return sequences_[static_cast<size_t>(index)].at(key).dim(0);
  }
  int64_t corpus_order_length(int64_t index) const override {
    return corpus_length(index, keys_.contains("data") ? "data" : keys_.begin()->first);
  }
  Sequence corpus_load(int64_t index) override {
    return {.index = 0, .tag = corpus_tag(index), .data = sequences_[static_cast<size_t>(index)]};
  }

 private:
  static Tensor tensor_of(const Value& value) {
    const auto [shape, numbers] = value.as_array();
    if (shape.empty()) throw value.error("StaticDataset: a sequence needs at least one axis");
    if (shape.size() == 1) return Tensor::of(std::vector<int32_t>(numbers.begin(), numbers.end()), Shape(shape));
    return Tensor::of(std::vector<float>(numbers.begin(), numbers.end()), Shape(shape));
  }

  static KeyInfo info_of(const Tensor& tensor, const std::string& key, const Value& options) {
    KeyInfo info;
    info.dtype = tensor.dtype();
    info.rank = tensor.rank();
    info.sparse = tensor.rank() == 1;
    info.dim = info.sparse ? 0 : tensor.dim(-1);
    const Value* dims = options.find("output_dim");
    const Value* dim = dims != nullptr && dims->is_dict() ? dims->find(key) : nullptr;
    if (dim != nullptr) info.dim = dim->is_sequence() ? dim->items().at(0).as_int() : dim->as_int();
    return info;
  }

  std::vector<std::map<std::string, Tensor>> sequences_;
  std::map<std::string, KeyInfo> keys_;
};

}  // namespace

std::unique_ptr<CorpusDataset> make_static_dataset(const Value& options, const Config&, SeqOrderOptions order) {
  return std::make_unique<StaticDataset>(options, std::move(order));
}

}  // namespace wende
