#pragma once

#include <memory>
#include <string>

#include "collective/communicator.h"

namespace wende {

/// A thread per rank that sees to it that no run hangs. It reads the boards (base/progress.h) of all ranks and, when
/// one does not change for too long, names rank, step, layer and operation, has every rank write its stack, and ends
/// all with status 81. It also ends this rank when another one died and the launcher does nothing about it.
class Watchdog {
 public:
  struct Options {
    double limit = 600;              ///< seconds without change; <= 0: never a hang
    std::string folder;              ///< for rankNNN.txt; "": stacks go to stderr
    bool (*terminated)() = nullptr;  ///< SIGTERM has come: leave at once if a peer is gone
  };
  /// All ranks call it.
  Watchdog(Communicator& communicator, Options options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wende
