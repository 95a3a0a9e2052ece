#include "base/printable.h"

#include <fmt/core.h>

#include <algorithm>

namespace wende {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

}  // namespace

std::string printable(std::string text) {
  if (std::none_of(text.begin(), text.end(), is_control)) return text;
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line_end = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] == '\n');
    if (is_control(text[i]) && !line_end) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace wende
