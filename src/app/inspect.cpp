#include "app/inspect.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/printable.h"
#include "io/checkpoint.h"
#include "io/hdf5.h"

namespace wende {

namespace {

void print_tensors(const std::map<std::string, Tensor>& tensors) {
  int64_t elements = 0;
  for (const auto& [name, tensor] : tensors) {
    fmt::print("  {:<40} {:<8} {}\n", printable(name), name_of(tensor.dtype()), tensor.shape().str());
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
    const std::string first = tags.empty() ? "" : tags[0];
    fmt::print("first tags: {}{}\n", printable(first), tags.size() > 1 ? ", " + printable(tags[1]) + ", ..." : "");
  }
  for (const std::string& name : file.datasets_below("/")) {
    const hdf5::DatasetInfo info = file.info(name);
    fmt::print("  {:<40} {}\n", printable(name), Shape(info.shape).str());
  }
}

/// libhdf5 is no safe parser: one damaged file in some hundred makes it crash or run forever. Nothing else runs in this
/// process, so a child can do the reading.
int in_child(const std::string& path, const std::function<void()>& reading) {
  constexpr rlim_t kMostSeconds = 600;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    throw Error(ExitStatus::kFailure, fmt::format("cannot start a process: {}", std::strerror(errno)));
  }
  if (child == 0) {
    const rlimit limit = {kMostSeconds, kMostSeconds};
    ::setrlimit(RLIMIT_CPU, &limit);
    int status = 0;
    try {
      reading();
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", error.what());
      status = static_cast<int>(error.status());
    } catch (const std::exception& error) {
      fmt::print(stderr, "'{}' is damaged ({})\n", path, error.what());
      status = static_cast<int>(ExitStatus::kMalformedInput);
    }
    std::fflush(nullptr);
    std::_Exit(status);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    throw Error(
        ExitStatus::kMalformedInput,
        fmt::format("'{}' is damaged: the HDF5 library does not survive it (signal {})", path, WTERMSIG(status)))
        .hint("write it again");
  }
  return WEXITSTATUS(status);
}

void inspect_file(const std::string& path) {
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

}  // namespace

int inspect(const std::string& path) {
  return in_child(path, [&path] { inspect_file(path); });
}

}  // namespace wende
