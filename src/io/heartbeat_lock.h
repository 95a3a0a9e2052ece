#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace wende {

/// One writer per model where files cannot be locked (NFS without a lock daemon): a file that only one process can
/// create, whose time of change is renewed while that process lives. Ages are differences of times that the file server
/// gave, so hosts' clocks do not matter.
class HeartbeatLock {
 public:
  struct Times {
    double patience = 3;  ///< seconds for a holder that may be about to end
    double beat = 10;     ///< between signs of life
    double stale = 300;   ///< without one the holder counts as dead; on its own host as soon as its process is gone
  };
  /// text: one line about this process. Waits until it is clear whether a holder lives: throws kCannotCreate (73) with
  /// its text if it does, and takes its place if not.
  HeartbeatLock(std::string path, const std::string& text, const Times& times);
  ~HeartbeatLock();
  HeartbeatLock(const HeartbeatLock&) = delete;
  HeartbeatLock& operator=(const HeartbeatLock&) = delete;

  /// Whether the file is there and shows life; also its text.
  static bool is_held(const std::string& path, const Times& times, std::string* text = nullptr);

 private:
  bool create(const std::string& text) const;
  void wait_for_turn(const std::string& text) const;
  void beat();

  std::string path_, id_;
  Times times_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace wende
