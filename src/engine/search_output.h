#pragma once

#include <map>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "config/config.h"
#include "dataset/batch.h"
#include "graph/binding.h"
#include "network/network.h"

namespace wende {

/// What the task search finds: the labels of one layer, after decision or with all hypotheses of a beam, as text. In
/// the file the sequences stand in the order of the corpus, whatever the number of ranks. See RETURNN's
/// search_output_file.
class SearchOutput {
 public:
  /// labels: names of the layer's classes. Throws for a layer that is no result of a search, and if the file exists.
  SearchOutput(const Config& config, const NetworkLayer& layer, std::vector<std::string> labels,
               Communicator& communicator);

  /// values: of the layer and, if it has hypotheses, their scores [B*beam]. All ranks call; one without a batch passes
  /// an empty one.
  void add_batch(const Batch& batch, const std::vector<Tensor>& values, const Binding& binding);
  void write();  ///< the file, if there is one

 private:
  struct Found {
    std::string tag;
    std::string text;
  };
  std::string text_of(const int32_t* labels, int64_t count) const;
  std::string serialized(const std::vector<std::string>& texts, const float* scores) const;

  std::string path_;
  bool python_ = false;
  std::string name_;
  Data data_;
  std::vector<std::string> labels_;
  bool characters_ = false;  ///< all labels have one character: no spaces between them
  Communicator& communicator_;
  std::map<int64_t, Found> found_;  ///< on rank 0, by the place of the sequence
};

}  // namespace wende
