#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "dataset/hdf_corpus_file.h"
#include "memory_file.h"

/// libFuzzer entry: the file of a HDFDataset is opened and its first sequences loaded, or it is refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const wende::MemoryFile bytes(data, size);
    wende::HdfCorpusFile file(bytes.path());
    for (int64_t i = 0; i < std::min<int64_t>(file.sequence_count(), 8); ++i) {
      for (const auto& [key, stream] : file.streams()) {
        if (file.length(i, key) < 1000) file.load(i, key);
      }
    }
  } catch (const wende::Error&) {
  }
  return 0;
}
