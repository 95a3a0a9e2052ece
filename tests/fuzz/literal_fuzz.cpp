#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/literal.h"

/// libFuzzer entry: a literal, a JSON document and a whole config in --literal mode are read or refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    wende::parse_literal(text, "fuzz").repr();
  } catch (const wende::Error&) {
  }
  try {
    wende::parse_json_literal(text, "fuzz").repr();
  } catch (const wende::Error&) {
  }
  try {
    std::vector<wende::Diagnostic> warnings;
    wende::parse_literal_config(text, "fuzz", warnings).repr();
  } catch (const wende::Error&) {
  }
  return 0;
}
