#include "dataset/orthography.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <locale.h>
#include <wctype.h>

#include <algorithm>

#include "base/error.h"

namespace wende {

namespace {

size_t bytes_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

uint32_t code_of(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(character[i])); };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xFFu >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3F);
  return code;
}

void put_code(std::string& text, uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
  } else if (code < 0x10000) {
    text += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
             static_cast<char>(0x80 | (code & 0x3F))};
  } else {
    text += {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3F)),
             static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
  }
}

std::string upper(std::string_view character) {
  static const locale_t kUnicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const uint32_t code = code_of(character);
  std::string text;
  put_code(text, kUnicode == nullptr ? code : static_cast<uint32_t>(::towupper_l(code, kUnicode)));
  return text;
}

}  // namespace

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> found;
  for (size_t at = 0; at < text.size();) {
    const size_t size = bytes_of(static_cast<unsigned char>(text[at]));
    const std::string_view character = text.substr(at, size);
    const bool sound = size > 0 && character.size() == size &&
                       std::all_of(character.begin() + 1, character.end(),
                                   [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; });
    if (!sound) throw Error(ExitStatus::kMalformedInput, fmt::format("the line '{}' is no UTF-8", text));
    found.push_back(character);
    at += size;
  }
  return found;
}

bool is_space(std::string_view character) {
  const uint32_t code = code_of(character);
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string_view character : characters(text)) {
    if (is_space(character)) {
      inside = false;
      continue;
    }
    if (!inside) found.emplace_back();
    found.back() += character;
    inside = true;
  }
  return found;
}

std::string stripped(const std::string& text) {
  const std::vector<std::string_view> all = characters(text);
  const auto first = std::find_if_not(all.begin(), all.end(), is_space);
  const auto end = std::find_if_not(all.rbegin(), std::make_reverse_iterator(first), is_space).base();
  std::string result;
  for (auto it = first; it != end; ++it) result += *it;
  return result;
}

std::vector<std::string> Orthography::symbols(const std::string& text) const {
  std::vector<std::string> found;
  int depth = 0;
  for (const std::string_view character : characters(text)) {
    if (depth > 0) {
      depth += character == "[" ? 1 : character == "]" ? -1 : 0;
      found.back() += upper_case_special ? upper(character) : std::string(character);
    } else if (square_brackets_for_specials && character == "[") {
      depth = 1;
      if (found.empty() || !found.back().empty()) found.emplace_back();
      found.back() += "[";
    } else if (!word_based) {
      found.emplace_back(character);
    } else if (is_space(character)) {
      found.emplace_back();
    } else {
      if (found.empty()) found.emplace_back();
      found.back() += character;
    }
  }
  return found;
}

std::vector<std::string> Orthography::parse(const std::string& text) const {
  const std::vector<std::string_view> removed = characters(remove_chars);
  std::string left;
  for (const std::string_view character : characters(text)) {
    if (std::find(removed.begin(), removed.end(), character) == removed.end()) left += character;
  }
  if (collapse_spaces) left = fmt::format("{}", fmt::join(words(left), " "));
  if (final_strip) left = stripped(left);
  std::vector<std::string> result = prefix;
  for (std::string& symbol : symbols(left)) result.push_back(std::move(symbol));
  result.insert(result.end(), postfix.begin(), postfix.end());
  return result;
}

}  // namespace wende
