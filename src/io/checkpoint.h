#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// Content of model.NNN.wende/: params.safetensors, optim.safetensors, and manifest.json written last
/// (sizes and CRC32C of each file). See docs/architecture.md.
struct Checkpoint {
  std::map<std::string, Tensor> params;
  std::map<std::string, Tensor> optimizer;
  /// Numbers to go on from: "epoch", "global_step", "step_in_epoch", "world_size", ...
  std::map<std::string, int64_t> counters;
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
};

/// Writes the folder `path` atomically (temporary folder, fsync, rename, fsync of the parent). 73/74 on failure.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);
/// It goes in one step: a process that is killed meanwhile leaves a temporary folder, but no half of a checkpoint.
void remove_checkpoint(const std::string& path);
/// Refuses a folder whose manifest does not fit (65, which file and why).
Checkpoint load_checkpoint(const std::string& path);
/// Reads only the manifest's counters; nullopt if `path` is no complete checkpoint.
std::optional<std::map<std::string, int64_t>> checkpoint_counters(const std::string& path);
/// The whole as bytes, for other ranks.
std::string pack_checkpoint(const Checkpoint& checkpoint);
Checkpoint unpack_checkpoint(const std::string& bytes);
/// Also accepted as parameters: a .safetensors file, a .hdf/.h5 file with one dataset per RETURNN variable, and a
/// checkpoint of TensorFlow (io/tensor_bundle.h) by its name without ending.
std::map<std::string, Tensor> load_parameters(const std::string& path);

std::string write_safetensors(const std::map<std::string, Tensor>& tensors);  ///< bytes of a file
std::map<std::string, Tensor> parse_safetensors(const std::string& bytes,
                                                const std::string& file);  ///< 65 when damaged
uint32_t crc32c(const void* data, size_t bytes, uint32_t start = 0);

}  // namespace wende
