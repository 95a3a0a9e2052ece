#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "io/checkpoint.h"

namespace {

/// A good checkpoint, in memory's file system; its manifest is written anew for each input.
const std::string& folder() {
  static const std::string& path = *new std::string([] {  // never destroyed: the exit handler below reads it
    std::string name = "/dev/shm/wende-fuzz-" + std::to_string(getpid()) + ".wende";
    wende::Checkpoint checkpoint;
    checkpoint.params["w"] = wende::Tensor::scalar(1.0f);
    checkpoint.counters["epoch"] = 1;
    wende::save_checkpoint(name, checkpoint);
    std::atexit([] { std::filesystem::remove_all(folder()); });
    return name;
  }());
  return path;
}

}  // namespace

/// libFuzzer entry: a checkpoint with these bytes as its manifest is loaded or refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::ofstream(folder() + "/manifest.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  wende::checkpoint_counters(folder());
  try {
    wende::load_checkpoint(folder());
  } catch (const wende::Error&) {
  }
  return 0;
}
