#pragma once

#include <string>

namespace wende {

/// The line at the bottom of a terminal that is written over and over ("step 17 of 200"), on stderr. Log lines remove
/// it first.
void show_live_line(const std::string& text);
void remove_live_line();

}  // namespace wende
