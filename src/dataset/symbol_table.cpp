#include "dataset/symbol_table.h"

#include <fmt/core.h>

#include <charconv>

#include "config/literal.h"
#include "dataset/orthography.h"
#include "dataset/tag_list.h"
#include "io/text_file.h"

namespace wende {

namespace {

/// "symbol label": the symbol ends at the first space, as in RETURNN.
void add_line(SymbolTable& table, const std::string& line, const Value& file) {
  const std::vector<std::string> parts = words(line);
  int32_t label = 0;
  const std::string& number = parts.size() == 2 ? parts[1] : line;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), label);
  if (parts.size() != 2 || code != std::errc() || end != number.data() + number.size()) {
    throw file.error(fmt::format("'{}': expected lines of a symbol and its label, got '{}'", file.as_string(), line));
  }
  table.labels[parts[0]] = label;
}

bool is_dict(const std::string& text) {
  const size_t first = text.find_first_not_of(" \n");
  if (first == std::string::npos || text[first] != '{') return false;
  const size_t quote = text.find_first_not_of(" \n", first + 1);
  return quote != std::string::npos && (text[quote] == '"' || text[quote] == '\'');
}

void add_dict(SymbolTable& table, const Value& dict) {
  for (const auto& [symbol, label] : dict.entries()) {
    table.labels[symbol.as_string()] = static_cast<int32_t>(label.as_int());
  }
}

}  // namespace

SymbolTable SymbolTable::from_list(const Value& file) {
  SymbolTable table;
  table.symbols = lines_of(read_text_file(file.as_string()));
  for (size_t i = 0; i < table.symbols.size(); ++i) table.labels[table.symbols[i]] = static_cast<int32_t>(i);
  return table;
}

SymbolTable SymbolTable::from_map(const Value& file) {
  SymbolTable table;
  const std::string& path = file.as_string();
  if (path.ends_with(".pkl")) {
    add_dict(table, unpickled(file));
  } else if (const std::string text = read_text_file(path); is_dict(text)) {
    add_dict(table, parse_literal(text, path));
  } else {
    for (const std::string& line : lines_of(text)) add_line(table, line, file);
  }
  std::map<int32_t, std::string> by_label;
  for (const auto& [symbol, label] : table.labels) by_label[label] = symbol;
  for (const auto& [label, symbol] : by_label) {
    if (label != static_cast<int32_t>(table.symbols.size())) {
      throw file.error(fmt::format("'{}': no symbol has label {}", path, table.symbols.size()));
    }
    table.symbols.push_back(symbol);
  }
  return table;
}

}  // namespace wende
