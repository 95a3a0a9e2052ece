#include "app/inspect.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "io/checkpoint.h"
#include "io/hdf5.h"

namespace wende {

namespace {

void print_tensors(const std::map<std::string, Tensor>& tensors) {
  int64_t elements = 0;
  for (const auto& [name, tensor] : tensors) {
    fmt::print("  {:<40} {:<8} {}\n", name, name_of(tensor.dtype()), tensor.shape().str());
    elements += tensor.elements();
  }
  fmt::print("  {} tensors, {} numbers\n", tensors.size(), elements);
}

void inspect_hdf5(const std::string& path) {
  const hdf5::File file = hdf5::File::open(path);
  if (file.exists("seqLengths") && file.exists("seqTags")) {
    const std::vector<std::string> tags = file.read_strings("seqTags");
    const Tensor lengths = file.read("seqLengths", DType::kInt32);
    const std::vector<int32_t> values = lengths.to_vector<int32_t>();
    int64_t frames = 0;
    int32_t longest = 0;
    for (int64_t i = 0; i < lengths.dim(0); ++i) {
      const int32_t length = values[static_cast<size_t>(i * lengths.dim(1))];
      frames += length;
      longest = std::max(longest, length);
    }
    fmt::print("HDFDataset layout: {} sequences, {} frames, longest {}\n", tags.size(), frames, longest);
    fmt::print("first tags: {}{}\n", tags.empty() ? "" : tags[0], tags.size() > 1 ? ", " + tags[1] + ", ..." : "");
  }
  for (const std::string& name : file.datasets_below("/")) {
    const hdf5::DatasetInfo info = file.info(name);
    fmt::print("  {:<40} {}\n", name, Shape(info.shape).str());
  }
}

}  // namespace

void inspect(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    const Checkpoint checkpoint = load_checkpoint(path);
    for (const auto& [name, value] : checkpoint.counters) {
      fmt::print("{}: {}\n", name, value);
    }
    fmt::print("parameters\n");
    print_tensors(checkpoint.params);
    fmt::print("optimiser\n");
    print_tensors(checkpoint.optimizer);
    return;
  }
  if (path.ends_with(".safetensors")) {
    print_tensors(load_parameters(path));
    return;
  }
  inspect_hdf5(path);
}

}  // namespace wende
