#pragma once

#include <fmt/core.h>

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/progress.h"
#include "device/memory.h"

namespace wende {

/// An operation of a layer while it runs, for those who watch: the board of the watchdog, profilers, the trace, and the
/// table of seconds by layer and operation, if there is one.
class OperationScope {
 public:
  OperationScope(Device device, const std::string& layer, std::string_view operation,
                 std::map<std::string, double>* seconds)
      : layer_(layer),
        operation_(operation),
        seconds_(seconds),
        start_(seconds == nullptr ? 0 : thread_seconds()),
        trace_start_(tracing() ? monotonic_seconds() : 0),
        range_(device, layer.c_str()) {
    progress().running(layer.c_str(), operation.data());
  }
  ~OperationScope() {
    if (tracing()) {
      trace_span(TraceRow::kOperation, layer_.c_str(), trace_start_, monotonic_seconds(), operation_.data());
    }
    if (seconds_ != nullptr) (*seconds_)[fmt::format("{}/{}", layer_, operation_)] += thread_seconds() - start_;
  }
  OperationScope(const OperationScope&) = delete;
  OperationScope& operator=(const OperationScope&) = delete;

 private:
  const std::string& layer_;
  std::string_view operation_;
  std::map<std::string, double>* seconds_;
  double start_;
  double trace_start_;
  ProfilerRange range_;
};

}  // namespace wende
