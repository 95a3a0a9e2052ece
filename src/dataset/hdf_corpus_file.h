#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "io/hdf5.h"

namespace wende {

/// One file in the layout of RETURNN's HDFDataset: all numbers of a key in one array, sequence after sequence.
class HdfCorpusFile {
 public:
  explicit HdfCorpusFile(const std::string& path);

  struct Stream {
    std::string object;           ///< "inputs", "targets/data/classes"
    KeyInfo info;                 ///< dtype: as stored, float or int
    std::vector<int64_t> shape;   ///< of the whole array
    std::vector<int64_t> starts;  ///< prefix sums of the lengths, one more than sequences
    Tensor cache;
  };
  const std::map<std::string, Stream>& streams() const { return streams_; }
  const std::string& path() const { return file_.path(); }
  int64_t sequence_count() const { return static_cast<int64_t>(tags_.size()); }
  const std::string& tag(int64_t sequence) const { return tags_[static_cast<size_t>(sequence)]; }
  int64_t length(int64_t sequence, const std::string& key) const;
  void keep_only(const std::vector<std::string>& keys);
  void set_dtype(const std::string& key, DType dtype) { streams_.at(key).info.dtype = dtype; }

  /// [T,...]; NaN and labels out of range are refused (65).
  Tensor load(int64_t sequence, const std::string& key);
  /// Small arrays, and some sequences of the others, are read and forgotten; values are not looked at.
  void read_samples() const;

 private:
  void open_streams();
  void add_stream(const std::string& key, const std::string& object);
  void read_lengths();
  /// Sets the dimension from /targets/size; returns the number of axes of a sequence.
  int read_size_attribute(const std::string& key, Stream& stream) const;
  void check_values(const Tensor& values, const Stream& stream, const std::string& key, int64_t sequence) const;
  bool cached_whole() const;
  Error malformed(const std::string& what) const;

  hdf5::File file_;
  std::vector<std::string> tags_;
  std::map<std::string, Stream> streams_;
};

}  // namespace wende
