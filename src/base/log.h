#pragma once

#include <string>

namespace wende {

/// Where the log goes. Verbosity as `log_verbosity` in configs: 1 errors, 2 warnings, 3 epochs, 4 details, 5 steps.
struct LogOptions {
  int verbosity = 3;
  std::string file;  ///< also written there (appended) if not empty
  bool to_stdout = true;
  std::string prefix;  ///< put before each line ("rank 3: "); empty on rank 0
};

/// Replaces the settings; throws Error kCannotCreate if the file cannot be opened.
void set_log(const LogOptions& options);
bool log_enabled(int level);
int log_verbosity();

/// One line (a newline is added), written whole under a lock and flushed. Nothing if level > verbosity.
void log_line(int level, const std::string& text);

}  // namespace wende
