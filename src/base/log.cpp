#include "base/log.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/live_line.h"
#include "base/printable.h"

namespace wende {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct LogState {
  std::mutex mutex;
  LogOptions options;
  std::unique_ptr<std::FILE, FileCloser> file;
};

/// Never destroyed, so that destructors of other static objects and threads that outlive main may still log.
LogState& state() {
  static LogState* instance = new LogState;
  return *instance;
}

void write_line(std::FILE* out, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace

void set_log(const LogOptions& options) {
  std::unique_ptr<std::FILE, FileCloser> file;
  if (!options.file.empty()) {
    file.reset(std::fopen(options.file.c_str(), "ae"));
    if (!file) {
      throw Error(ExitStatus::kCannotCreate, "cannot open log file '" + options.file + "': " + std::strerror(errno));
    }
  }
  LogState& log = state();
  const std::lock_guard lock(log.mutex);
  log.options = options;
  log.file = std::move(file);
}

bool log_enabled(int level) {
  LogState& log = state();
  const std::lock_guard lock(log.mutex);
  return level <= log.options.verbosity;
}

int log_verbosity() {
  LogState& log = state();
  const std::lock_guard lock(log.mutex);
  return log.options.verbosity;
}

void log_line(int level, const std::string& text) {
  LogState& log = state();
  const std::lock_guard lock(log.mutex);
  if (level > log.options.verbosity) return;
  const std::string line = log.options.prefix + printable(text) + '\n';
  remove_live_line();
  if (log.options.to_stdout) write_line(stdout, line);
  if (log.file) write_line(log.file.get(), line);
}

}  // namespace wende
