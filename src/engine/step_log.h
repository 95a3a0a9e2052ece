#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "engine/network_runner.h"
#include "engine/stat_book.h"

namespace wende {

/// Step lines with RETURNN's keys in RETURNN's order (log_verbosity 5), and a live line with the time left when stderr
/// is a terminal.
class StepLog {
 public:
  StepLog(const Config& config, const Network& network, std::string prefix, int64_t steps);
  /// batch: of this rank; null when it had none.
  void step(int64_t step, const StepReport& report, const Batch* batch, double seconds,
            const StatBook* stats = nullptr);
  void finish(int64_t steps, double seconds);

 private:
  std::string step_text(int64_t step, const StepReport& report, const Batch* batch, double seconds,
                        const StatBook* stats) const;
  std::string live_text(int64_t step, const StepReport& report) const;
  const Network& network_;
  std::string prefix_;
  std::vector<std::string> meta_names_;
  int64_t steps_;
  bool batch_size_;
  bool exponential_;
  bool live_;
  double start_;
  double computing_ = 0;
};

/// A number as RETURNN's log has it: the shortest text that reads back as the same float.
std::string number_text(double value);

}  // namespace wende
