#include "engine/run_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/memory_use.h"
#include "base/trace.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

using Entries = std::vector<std::pair<std::string, double>>;

void sort_by_seconds(Entries& entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
}

}  // namespace

void write_trace(Communicator& communicator, const std::string& path, double origin) {
  const std::string own = trace_events(communicator.rank(), communicator.host_name(), origin);
  std::string text;
  for (const std::string& events : communicator.gather(own)) {
    text += (text.empty() ? "[\n" : ",\n") + events;
  }
  if (communicator.is_root()) {
    write_file_atomically(path, text + "\n]\n");
    log_line(3, fmt::format("Trace written to {} (open it in ui.perfetto.dev)", path));
  }
}

std::string profile_table(const std::map<std::string, double>& seconds_by_scope) {
  std::map<std::string, std::pair<double, Entries>> layers;
  double total = 0;
  for (const auto& [scope, seconds] : seconds_by_scope) {
    const size_t slash = scope.rfind('/');
    std::string layer = slash == std::string::npos ? "" : scope.substr(0, slash);
    layer = layer.empty() ? "(network)" : layer;
    layers[layer].first += seconds;
    layers[layer].second.emplace_back(scope.substr(slash == std::string::npos ? 0 : slash + 1), seconds);
    total += seconds;
  }
  Entries order;
  size_t width = 5;
  for (const auto& [layer, entry] : layers) {
    order.emplace_back(layer, entry.first);
    width = std::max(width, layer.size());
  }
  sort_by_seconds(order);
  std::string text = fmt::format("{:<{}}  {:>9}  {:>6}  operations", "layer", width, "seconds", "share");
  for (const auto& [layer, seconds] : order) {
    Entries& operations = layers[layer].second;
    sort_by_seconds(operations);
    text += fmt::format("\n{:<{}}  {:>9.3f}  {:>5.1f}% ", layer, width, seconds, 100 * seconds / std::max(total, 1e-9));
    constexpr size_t kMostShown = 3;
    for (size_t i = 0; i < std::min(operations.size(), kMostShown); ++i) {
      text += fmt::format("{} {} {:.3f}", i == 0 ? "" : ",", operations[i].first, operations[i].second);
    }
  }
  return text;
}

std::string memory_line(size_t state_bytes, size_t step_bytes) {
  return fmt::format(
      "memory: {:.0f} MB in this process, {:.1f} MB of parameters, gradients and optimiser, {:.1f} MB for the values "
      "of a step",
      memory_use().resident * 1e-6, static_cast<double>(state_bytes) * 1e-6, static_cast<double>(step_bytes) * 1e-6);
}

}  // namespace wende
