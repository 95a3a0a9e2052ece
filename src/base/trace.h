#pragma once

#include <string>

namespace wende {

/// Rows of one rank in a trace: what it does, waits for other ranks, single operations, work beside the training
/// thread.
enum class TraceRow { kPhase = 0, kCommunication = 1, kOperation = 2, kBackground = 3 };

namespace trace_detail {
inline bool on = false;
void add(TraceRow row, const char* name, const char* detail, double start, double end);
}  // namespace trace_detail

/// From now on spans are kept (the first two million of a process). Off: a span costs one branch.
void start_trace();
inline bool tracing() { return trace_detail::on; }

/// Seconds as monotonic_seconds(). The texts are copied.
inline void trace_span(TraceRow row, const char* name, double start, double end, const char* detail = "") {
  if (trace_detail::on) [[unlikely]] {
    trace_detail::add(row, name, detail, start, end);
  }
}

/// This process's spans as events of Chrome's trace format, without the brackets around the list; times count from
/// `origin`. One process row per rank.
std::string trace_events(int rank, const std::string& host, double origin);

}  // namespace wende
