#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include "io/checkpoint.h"

namespace wende {

/// Writes checkpoints in a thread while training goes on. One at a time; start() waits for the one before.
class CheckpointWriter {
 public:
  ~CheckpointWriter();
  /// The checkpoint's tensors must be copies of the run's. `then` is called in the thread after it is on the disk.
  void start(std::string path, Checkpoint checkpoint, std::function<void()> then = {});
  bool busy() const { return busy_.load(); }
  /// Until all is written; throws what the thread threw.
  void wait();
  /// Throws what the thread threw, if it has ended; does not wait.
  void check();
  double last_seconds() const { return last_seconds_.load(); }

 private:
  std::thread thread_;
  std::exception_ptr error_;
  std::atomic<bool> busy_{false};
  std::atomic<double> last_seconds_{0};
};

}  // namespace wende
