#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/seq_order.h"

namespace wende {

/// A dataset whose sequences have a fixed number in the corpus ("corpus index"); an epoch is an order of those.
class CorpusDataset : public Dataset {
 public:
  explicit CorpusDataset(SeqOrderOptions options) : options_(std::move(options)) {}

  virtual int64_t corpus_size() const = 0;
  virtual std::string corpus_tag(int64_t corpus_index) const = 0;
  virtual int64_t corpus_length(int64_t corpus_index, const std::string& key) const = 0;
  virtual Sequence corpus_load(int64_t corpus_index) = 0;
  /// What "sorted" and others sort by.
  virtual int64_t corpus_order_length(int64_t corpus_index) const { return corpus_length(corpus_index, "data"); }
  /// Content that depends on the epoch is made for this one from now on; the order stays.
  virtual void set_epoch(int epoch) { epoch_ = epoch; }

  const std::vector<int64_t>& order() const { return order_; }

  void init_epoch(int epoch) override;
  int64_t sequence_count() const override { return static_cast<int64_t>(order_.size()); }
  int64_t length(int64_t index, const std::string& key) const override {
    return corpus_length(corpus_index(index), key);
  }
  std::string tag(int64_t index) const override { return corpus_tag(corpus_index(index)); }
  Sequence load(int64_t index) override;

 protected:
  virtual std::vector<int64_t> make_order(int epoch);
  int64_t corpus_index(int64_t index) const;

  SeqOrderOptions options_;
  int epoch_ = 1;

 private:
  std::vector<int64_t> order_;
};

/// As make_dataset, for datasets inside of others.
std::unique_ptr<CorpusDataset> make_corpus_dataset(const Value& options, const Config& config, const std::string& role);

/// Classes register how they are made; `accepted` are option names besides those that all datasets have.
struct DatasetClass {
  using Make = std::unique_ptr<CorpusDataset> (*)(const Value& options, const Config& config, SeqOrderOptions order);
  std::vector<std::string> accepted;
  Make make = nullptr;
};
const std::map<std::string, DatasetClass>& dataset_classes();

/// Defined beside each class.
std::unique_ptr<CorpusDataset> make_hdf_dataset(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_lm_dataset(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_meta_dataset(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_static_dataset(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_task_12ax(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_task_episodic_copy(const Value& options, const Config& config,
                                                       SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_task_xml_modeling(const Value& options, const Config& config,
                                                      SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_copy_task(const Value& options, const Config& config, SeqOrderOptions order);
std::unique_ptr<CorpusDataset> make_dummy_dataset(const Value& options, const Config& config, SeqOrderOptions order);

}  // namespace wende
