#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "tensor/tensor.h"

namespace wende {

/// What a dataset knows of a key before any number is read.
struct KeyInfo {
  DType dtype = DType::kFloat32;
  bool sparse = false;
  int64_t dim = 0;  ///< feature size, or number of classes
  int rank = 2;     ///< of one sequence: [T,F] 2, sparse [T] 1
  std::vector<std::string> labels;
};

/// One sequence: its tag and the numbers of each key, [T,F] or sparse [T]; not padded.
struct Sequence {
  int64_t index = 0;  ///< position in this epoch's order
  std::string tag;
  std::map<std::string, Tensor> data;
};

/// Sequences in an order that init_epoch sets. All ranks see the same order.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::map<std::string, KeyInfo> keys() const = 0;
  /// Orders the sequences for a (full, 1-based) epoch: seq_ordering, partition_epoch, fixed_random_seed.
  virtual void init_epoch(int epoch) = 0;
  virtual int64_t sequence_count() const = 0;  ///< in this epoch; -1 unknown
  virtual int64_t length(int64_t index, const std::string& key) const = 0;
  virtual std::string tag(int64_t index) const = 0;
  virtual Sequence load(int64_t index) = 0;
  virtual int64_t estimated_frames() const { return -1; }
};

/// From a dataset dict of the config ("class": "HDFDataset" | "Task12AXDataset" | "MetaDataset" | ...), or file names.
/// `role`: "train", "dev", "eval", ...: RETURNN's defaults depend on it (train takes batching/chunking from the config,
/// dev and eval default to seq_ordering "sorted").
std::unique_ptr<Dataset> make_dataset(const Value& options, const Config& config, const std::string& role);
/// Class and option names only; opens nothing.
void check_dataset_options(const Value& options, const Config& config);
std::vector<std::string> dataset_class_names();

}  // namespace wende
