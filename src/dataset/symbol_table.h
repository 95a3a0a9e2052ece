#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// A vocabulary of symbols: label of each symbol, symbol of each label.
struct SymbolTable {
  std::map<std::string, int32_t> labels;
  std::vector<std::string> symbols;

  /// One symbol a line, in the order of the labels.
  static SymbolTable from_list(const Value& file);
  /// Lines "symbol label", or a dict {"symbol": label}: as a Python literal, or pickled (.pkl). Labels begin with 0.
  static SymbolTable from_map(const Value& file);
};

}  // namespace wende
