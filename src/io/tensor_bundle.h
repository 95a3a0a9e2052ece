#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// TensorFlow's checkpoint files, as RETURNN saves models: "net.023.index" says which bytes of
/// "net.023.data-00000-of-00001" are which variable. Format: tensorflow/core/util/tensor_bundle and LevelDB's tables.

/// Where a variable lies.
struct BundleEntry {
  DType dtype = DType::kFloat32;
  Shape shape;
  int64_t shard = 0;
  uint64_t begin = 0;
  uint64_t bytes = 0;
  uint32_t crc = 0;  ///< masked CRC32C, as the file has it
};
struct BundleIndex {
  int64_t shards = 0;
  std::map<std::string, BundleEntry> entries;  ///< variables of types that Wende has
};
/// Of the bytes of an index file; 65 when damaged. `file` names it in errors.
BundleIndex parse_bundle_index(const std::string& bytes, const std::string& file);

/// "net.023" of any of its files' names; "" if `path` means no TensorFlow checkpoint that is there.
std::string bundle_prefix(const std::string& path);
/// All variables of the checkpoint "net.023"; 65 when damaged, 66 when a file is missing.
std::map<std::string, Tensor> load_bundle(const std::string& prefix);

}  // namespace wende
