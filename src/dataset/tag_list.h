#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// Lines of a text, without their ends; a last one without an end counts, an empty rest does not.
std::vector<std::string> lines_of(const std::string& text);

/// What Python's pickle reads from a file, plain or compressed (.gz).
Value unpickled(const Value& file);

/// Sequence tags of a file: one a line, or a pickled list (.pkl); compressed if the name ends in ".gz".
std::vector<std::string> read_tag_list(const Value& file);

/// As read_tag_list under the name "", or by data set where a pickled dict holds one list for each.
std::map<std::string, std::vector<std::string>> read_tag_lists(const Value& file);

}  // namespace wende
