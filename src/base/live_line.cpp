#include "base/live_line.h"

#include <atomic>
#include <cstdio>

namespace wende {
namespace {

constexpr const char* kToEmptyLine = "\r\033[K";
std::atomic<bool> shown{false};

}  // namespace

void show_live_line(const std::string& text) {
  std::fputs((kToEmptyLine + text).c_str(), stderr);
  std::fflush(stderr);
  shown = true;
}

void remove_live_line() {
  if (!shown.exchange(false)) return;
  std::fputs(kToEmptyLine, stderr);
  std::fflush(stderr);
}

}  // namespace wende
