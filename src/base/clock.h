#pragma once

#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <string>

namespace wende {

/// Seconds since an arbitrary start; never runs backwards.
inline double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// "0:00:03", "26:03:09": as RETURNN prints durations; fractions are cut off.
inline std::string format_hms(double seconds) {
  const auto whole = static_cast<long long>(std::isfinite(seconds) && seconds > 0 ? seconds : 0);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// CPU time of this thread: what others do on the machine does not count.
inline double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace wende
