#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "optim/learning_rate_control.h"

/// libFuzzer entry: a learning-rate file is read or refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    wende::LearningRateControl::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  } catch (const wende::Error&) {
  }
  return 0;
}
