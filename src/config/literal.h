#pragma once

#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// Reads one Python literal (numbers, strings, None, True, False, lists, tuples, dicts, sets). No Python is involved.
/// Throws Error kConfig with the line on anything else. `file` names the text in places; may be empty.
Value parse_literal(const std::string& text, const std::string& file = {});

/// The same of a JSON document: true, false and null, too.
Value parse_json_literal(const std::string& text, const std::string& file);

/// A config that consists of `name = literal` statements and comments only. Keys given twice are added to warnings.
Value parse_literal_config(const std::string& text, const std::string& file, std::vector<Diagnostic>& warnings);

}  // namespace wende
