#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "device/recorded_launch.h"
#include "graph/program.h"
#include "graph/run_numbers.h"
#include "graph/sized_plan.h"

namespace wende {

/// Runs the steps of a program on a GPU. The first run with a signature looks which steps depend on the host in each
/// run; the second one records the stretches between those; later ones launch what was recorded.
class RecordedSteps {
 public:
  /// Everything that the steps see of a run besides the contents of memory: addresses, sizes, what is padding.
  using Signature = std::vector<uint64_t>;
  struct Calls {
    size_t steps = 0;
    size_t most_in_one = 0;                   ///< steps in a launch; 0: any number
    std::function<void(size_t step)> run;     ///< may be called again for a step whose recording failed
    std::function<void(size_t step)> done;    ///< in order, after the launch that has the step
    std::function<const char*(size_t)> name;  ///< for profilers
  };
  void run(const Signature& signature, Device device, const Calls& calls);
  void clear() { entries_.clear(); }
  int64_t launches() const { return launches_; }  ///< of recorded stretches, so far

 private:
  struct Stretch {
    size_t begin, end;
    std::unique_ptr<RecordedLaunch> launch;  ///< nullptr: step by step
  };
  struct Entry {
    std::vector<char> fixed;  ///< by step: does not depend on the host
    std::vector<Stretch> stretches;
    uint64_t used = 0;
  };

  static void watch(Entry& entry, const Calls& calls);
  static void divide(Entry& entry, const Calls& calls);
  static std::unique_ptr<RecordedLaunch> recorded(const Stretch& stretch, const Calls& calls);
  void record(Entry& entry, const Calls& calls);
  void forget_some();

  std::map<Signature, Entry> entries_;
  uint64_t runs_ = 0;
  int64_t launches_ = 0;
};

/// What the kernels of a program are told in a run besides the contents of memory, as far as its plan says it.
RecordedSteps::Signature signature_of(const Program& program, const SizedPlan& plan, const std::vector<Fetch>& fetches,
                                      const Binding& binding, const RunNumbers& run_numbers);

}  // namespace wende
