#include "graph/recorded_steps.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "device/memory.h"

namespace wende {
namespace {

constexpr size_t kMostSignatures = 1024;
/// Each recorded run holds memory of the driver: some hundred bytes per kernel.
constexpr size_t kMostRecorded = 32;
/// Fewer operations gain nothing.
constexpr size_t kFewestOperations = 3;

}  // namespace

void RecordedSteps::run(const Signature& signature, Device device, const Calls& calls) {
  if (entries_.count(signature) == 0) forget_some();
  Entry& entry = entries_[signature];
  entry.used = ++runs_;
  if (entry.fixed.empty()) return watch(entry, calls);
  if (entry.stretches.empty()) return record(entry, calls);
  for (const Stretch& stretch : entry.stretches) {
    if (stretch.launch != nullptr) {
      const ProfilerRange range(device, calls.name(stretch.begin));
      stretch.launch->launch();
      ++launches_;
    }
    for (size_t step = stretch.begin; step < stretch.end; ++step) {
      if (stretch.launch == nullptr) calls.run(step);
      calls.done(step);
    }
  }
}

void RecordedSteps::watch(Entry& entry, const Calls& calls) {
  std::vector<char> fixed;
  for (size_t step = 0; step < calls.steps; ++step) {
    const uint64_t before = host_dependences;
    calls.run(step);
    fixed.push_back(host_dependences == before ? 1 : 0);
    calls.done(step);
  }
  entry.fixed = std::move(fixed);
}

void RecordedSteps::divide(Entry& entry, const Calls& calls) {
  const size_t most = calls.most_in_one == 0 ? calls.steps : calls.most_in_one;
  for (size_t begin = 0; begin < calls.steps;) {
    size_t end = begin + 1;
    while (end < calls.steps && entry.fixed[end] == entry.fixed[begin] && end - begin < most) ++end;
    entry.stretches.push_back({begin, end, nullptr});
    begin = end;
  }
}

/// nullptr where it cannot be: what went wrong happens again when the steps run one by one, if it is a fault of theirs.
std::unique_ptr<RecordedLaunch> RecordedSteps::recorded(const Stretch& stretch, const Calls& calls) {
  try {
    Recording recording;
    for (size_t step = stretch.begin; step < stretch.end; ++step) calls.run(step);
    std::unique_ptr<RecordedLaunch> launch = recording.end();
    const bool gains = launch != nullptr && launch->operations() >= kFewestOperations;
    return gains ? std::move(launch) : nullptr;
  } catch (const Error& error) {
    log_line(3, fmt::format("warning: steps that could not be recorded are launched one by one: {}", error.what()));
    return nullptr;
  }
}

void RecordedSteps::record(Entry& entry, const Calls& calls) {
  divide(entry, calls);
  for (Stretch& stretch : entry.stretches) {
    if (entry.fixed[stretch.begin] != 0) stretch.launch = recorded(stretch, calls);
    if (stretch.launch != nullptr) {
      stretch.launch->launch();
      ++launches_;
    }
    for (size_t step = stretch.begin; step < stretch.end; ++step) {
      if (stretch.launch == nullptr) calls.run(step);
      calls.done(step);
    }
  }
}

/// Room for one more: signatures that came once go all together, recorded runs by age.
void RecordedSteps::forget_some() {
  const auto recorded = [](const auto& item) { return !item.second.stretches.empty(); };
  if (entries_.size() >= kMostSignatures) {
    std::erase_if(entries_, [&](const auto& item) { return !recorded(item); });
  }
  if (static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), recorded)) > kMostRecorded) {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (recorded(*it) && (oldest == entries_.end() || it->second.used < oldest->second.used)) oldest = it;
    }
    entries_.erase(oldest);
  }
}

RecordedSteps::Signature signature_of(const Program& program, const SizedPlan& plan, const std::vector<Fetch>& fetches,
                                      const Binding& binding, const RunNumbers& run_numbers) {
  RecordedSteps::Signature numbers = binding.root_sizes();
  const auto add = [&numbers](const void* address) { numbers.push_back(reinterpret_cast<uint64_t>(address)); };
  add(plan.base);
  add(run_numbers.random().step);
  numbers.push_back(static_cast<uint64_t>(run_numbers.random().rows));
  for (const Program::Step& step : program.steps) {
    for (const int index : step.outputs) {
      const ValuePlace::Kind kind = program.values[static_cast<size_t>(index)].kind;
      if (kind == ValuePlace::Kind::kLeaf || kind == ValuePlace::Kind::kFetch) {
        add(plan.tensors[static_cast<size_t>(index)].raw());
      }
    }
    for (const int fetch : step.copy_fetches) add(fetches[static_cast<size_t>(fetch)].into.raw());
  }
  return numbers;
}

}  // namespace wende
