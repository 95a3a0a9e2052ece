#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/overrides.h"

namespace {

/// The bytes up to each NUL, as a command line has them.
std::vector<std::string> words_of(const uint8_t* data, size_t size) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == 0) {
      words.emplace_back();
    } else {
      words.back().push_back(static_cast<char>(data[i]));
    }
  }
  return words;
}

}  // namespace

/// libFuzzer entry: a command line with ++key value. No word is lost, each key has a name, each value a text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> words = words_of(data, size);
  try {
    std::vector<std::string> rest = words;
    const std::vector<std::string> overrides = wende::take_overrides(rest);
    if (rest.size() + overrides.size() != words.size() || overrides.size() % 2 != 0) std::abort();
    for (const auto& [key, value] : wende::parse_overrides(overrides)) {
      if (key.empty() || key.front() == '+' || value.repr().empty() || value.span().file == nullptr) std::abort();
    }
  } catch (const wende::Error&) {
  }
  return 0;
}
