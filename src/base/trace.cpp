#include "base/trace.h"

#include <fmt/core.h>

#include <iterator>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "base/json.h"

namespace wende {

namespace {

constexpr size_t kMostSpans = 2'000'000;

struct Span {
  TraceRow row;
  const std::string* name;
  const std::string* detail;
  double start;
  double end;
};

struct Spans {
  std::mutex mutex;
  std::unordered_set<std::string> texts;  ///< names repeat: each is kept once
  std::vector<Span> spans;
};

Spans& spans() {
  static Spans* instance = new Spans;  // threads that outlive main may still add
  return *instance;
}

const char* row_name(int row) {
  constexpr const char* kNames[] = {"phase", "communication", "operations", "background"};
  return kNames[row];
}

}  // namespace

void start_trace() { trace_detail::on = true; }

namespace trace_detail {

void add(TraceRow row, const char* name, const char* detail, double start, double end) {
  Spans& all = spans();
  const std::lock_guard lock(all.mutex);
  if (all.spans.size() < kMostSpans) {
    all.spans.push_back({row, &*all.texts.insert(name).first, &*all.texts.insert(detail).first, start, end});
  }
}

}  // namespace trace_detail

std::string trace_events(int rank, const std::string& host, double origin) {
  Spans& all = spans();
  const std::lock_guard lock(all.mutex);
  std::string text;
  auto out = std::back_inserter(text);
  const std::string process = Json(fmt::format("rank {} on {}", rank, host)).dump();
  fmt::format_to(out, R"({{"name":"process_name","ph":"M","pid":{},"tid":0,"args":{{"name":{}}}}})", rank, process);
  for (int row = 0; row < 4; ++row) {
    fmt::format_to(out,
                   ",\n"
                   R"({{"name":"thread_name","ph":"M","pid":{},"tid":{},"args":{{"name":"{}"}}}})",
                   rank, row, row_name(row));
  }
  for (const Span& span : all.spans) {
    fmt::format_to(out,
                   ",\n"
                   R"({{"name":{},"ph":"X","pid":{},"tid":{},"ts":{:.1f},"dur":{:.1f})",
                   Json(*span.name).dump(), rank, static_cast<int>(span.row), (span.start - origin) * 1e6,
                   (span.end - span.start) * 1e6);
    if (!span.detail->empty()) {
      fmt::format_to(out, R"(,"args":{{"operation":{}}})", Json(*span.detail).dump());
    }
    text += '}';
  }
  return text;
}

}  // namespace wende
