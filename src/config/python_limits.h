#pragma once

#include <sys/resource.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "config/python_object.h"

namespace wende::python {

/// Stops Python code of this thread, by an exception in it, after a time (WENDE_CONFIG_SECONDS, 60) or when the process
/// has grown by so much memory (WENDE_CONFIG_GIB, 2). A single allocation far above that fails at once.
class EvaluationLimits {
 public:
  EvaluationLimits();
  ~EvaluationLimits();
  EvaluationLimits(const EvaluationLimits&) = delete;
  EvaluationLimits& operator=(const EvaluationLimits&) = delete;

 private:
  void watch();
  void stop(const char* which);

  unsigned long thread_id_;
  double seconds_;
  double gib_;
  rlimit address_space_{};
  bool done_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread watcher_;
};

}  // namespace wende::python
