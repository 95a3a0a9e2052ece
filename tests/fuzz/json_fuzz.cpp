#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

/// libFuzzer entry: what is read must come back from its own text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const wende::Json json = wende::Json::parse(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
    wende::Json::parse(json.dump(), "fuzz");
  } catch (const wende::Error&) {
  }
  return 0;
}
