#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/trace.h"

namespace wende {

/// What the training thread is doing. `wait`: for other ranks, so never to blame for a hang; `start_up`: takes as long
/// as it takes (own, longer limit); `over`: out of the loops.
enum class PhaseKind { kWork, kWait, kStartUp, kOver };

struct Phase {
  const char* name;
  PhaseKind kind;
};

namespace phases {
inline constexpr Phase kStart{"start", PhaseKind::kStartUp};
inline constexpr Phase kDataset{"dataset start", PhaseKind::kStartUp};
inline constexpr Phase kCheckpoint{"checkpoint", PhaseKind::kStartUp};
inline constexpr Phase kInput{"input", PhaseKind::kWork};
inline constexpr Phase kCompute{"compute", PhaseKind::kWork};
inline constexpr Phase kOptimizer{"optimizer", PhaseKind::kWork};
inline constexpr Phase kOver{"over", PhaseKind::kOver};
}  // namespace phases

/// The board of this process: written by the training thread with relaxed stores (a few nanoseconds), read by the
/// watchdog and by the SIGUSR2 handler. Names are literals or belong to graphs; executors take
/// theirs away when they end.
struct Progress {
  std::atomic<int> rank{0};
  std::atomic<int64_t> epoch{0};
  std::atomic<int64_t> step{-1};
  std::atomic<const Phase*> phase{&phases::kStart};
  std::atomic<const char*> layer{""};
  std::atomic<const char*> operation{""};
  std::atomic<uint64_t> changes{0};      ///< counts every change: no change for long means a hang
  std::atomic<double> wait_seconds{0};   ///< in phases of kind kWait, since the start
  std::atomic<double> input_seconds{0};  ///< in phase kInput, since the start

  void changed() { changes.store(changes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void running(const char* layer_name, const char* operation_name) {
    layer.store(layer_name, std::memory_order_relaxed);
    operation.store(operation_name, std::memory_order_relaxed);
    changed();
  }
};

inline Progress& progress() {
  static Progress board;
  return board;
}

/// Puts a phase on the board for a scope of the training thread, adds up waiting, and traces it.
class PhaseScope {
 public:
  explicit PhaseScope(const Phase& phase)
      : phase_(phase), before_(progress().phase.load(std::memory_order_relaxed)), start_(monotonic_seconds()) {
    set(phase);
  }
  ~PhaseScope() {
    const double end = monotonic_seconds();
    if (phase_.kind == PhaseKind::kWait) {
      add(progress().wait_seconds, end - start_);
    } else if (&phase_ == &phases::kInput) {
      add(progress().input_seconds, end - start_);
    }
    trace_span(phase_.kind == PhaseKind::kWait ? TraceRow::kCommunication : TraceRow::kPhase, phase_.name, start_, end);
    set(*before_);
  }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  static void set(const Phase& phase) {
    progress().phase.store(&phase, std::memory_order_relaxed);
    progress().changed();
  }
  static void add(std::atomic<double>& sum, double seconds) {
    sum.store(sum.load(std::memory_order_relaxed) + seconds, std::memory_order_relaxed);
  }
  const Phase& phase_;
  const Phase* before_;
  double start_;
};

}  // namespace wende
