#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "io/tensor_bundle.h"

/// libFuzzer entry: whatever the bytes are, they are read or refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    wende::parse_bundle_index(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  } catch (const wende::Error&) {
  }
  return 0;
}
