#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// Writes the layout of RETURNN's SimpleHDFWriter (semantics section 14), readable by HDFDataset and h5py.
/// Data go to a temporary file that close() renames to the final name.
class HdfDumpWriter {
 public:
  struct Options {
    std::string path;
    int64_t dim = 0;  ///< feature size; 0: none (then inputPattSize 1)
    bool sparse = false;
    int64_t rank = 2;  ///< of one sequence incl. feature: dense [T,F] 2, sparse [T] 1
    std::vector<std::string> labels;
    std::map<std::string, std::pair<int64_t, int64_t>> extra_types;  ///< key -> (dim or 1, ndim)
    bool extend_existing_file = false;
  };
  explicit HdfDumpWriter(Options options);  ///< 73 if the file exists (unless extend) or cannot be made
  ~HdfDumpWriter();                         ///< without close(): the temporary is removed

  struct Row {
    std::string tag;
    Tensor data;                          ///< [T,F] or [T], this sequence only
    std::vector<int32_t> sizes;           ///< lengths of all dynamic axes: written as extra "seq_sizes"
    std::map<std::string, Tensor> extra;  ///< per key, as it shall stand in the file
    std::map<std::string, std::vector<std::string>> extra_strings;
  };
  void write(const Row& row);
  void close();  ///< finishes attributes, renames

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wende
