#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wende {

/// How a line of text becomes symbols; defaults and names are RETURNN's.
struct Orthography {
  std::vector<std::string> prefix;
  std::vector<std::string> postfix;
  std::string remove_chars = "(){}";
  bool collapse_spaces = true;
  bool final_strip = true;
  bool upper_case_special = true;            ///< of symbols in square brackets
  bool word_based = false;                   ///< otherwise each character is a symbol
  bool square_brackets_for_specials = true;  ///< "[laughter]" is one symbol

  /// Symbols between prefix and postfix. Text that is no UTF-8 is an error.
  std::vector<std::string> parse(const std::string& text) const;
  /// The symbols alone, of a text as it is.
  std::vector<std::string> symbols(const std::string& text) const;
};

/// The characters of a UTF-8 text.
std::vector<std::string_view> characters(std::string_view text);
/// What Python's str.isspace says of one character.
bool is_space(std::string_view character);
/// Words between spaces of any kind.
std::vector<std::string> words(const std::string& text);
/// Without spaces of any kind at both ends.
std::string stripped(const std::string& text);

}  // namespace wende
