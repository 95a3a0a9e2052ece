#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "dataset/batch.h"
#include "graph/binding.h"
#include "io/hdf_dump_writer.h"
#include "network/network.h"

namespace wende {

/// Writes what hdf_dump layers give: rows of all ranks gathered to rank 0 in batch order, so that the file is the same
/// for 1 and N ranks (semantics section 13).
class HdfDumpCallback {
 public:
  /// other: of another network with the same layers (training and evaluation), which writes on into the same files.
  HdfDumpCallback(const std::vector<Sink>& sinks, Communicator& communicator, const HdfDumpCallback* other = nullptr);
  ~HdfDumpCallback();

  bool empty() const { return dumps_.empty(); }
  /// Names of the classes of what `layer` dumps, for a file that is not open yet.
  void set_labels(const std::string& layer, const std::vector<std::string>& labels);
  void begin_run(const std::string& dataset_name, int epoch);
  /// values: one tensor per sink. A rank without a batch passes an empty Batch; all ranks must call.
  void add_batch(const Batch& batch, const std::vector<Tensor>& values, const Binding& binding);
  void end_run();  ///< closes files with dump_per_run
  void close();    ///< closes the others

 private:
  struct Dump;
  struct File;
  std::string file_name(const Dump& dump) const;
  void open(Dump& dump, int64_t sizes);
  static std::map<std::string, Tensor> batch_rows(const Dump& dump, int64_t count, const std::vector<Tensor>& values,
                                                  const Binding& binding);
  void write_rows(Dump& dump, const std::string& bytes);
  static void write_whole_batch(Dump& dump, const std::vector<std::string>& tags,
                                const std::map<std::string, Tensor>& rows);
  static void finish(Dump& dump);

  Communicator& communicator_;
  std::vector<std::unique_ptr<Dump>> dumps_;
  std::shared_ptr<std::map<std::string, File>> files_;  ///< by layer
  std::string dataset_name_;
  int epoch_ = 0;
};

}  // namespace wende
