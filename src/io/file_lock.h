#pragma once

#include <memory>
#include <string>

#include "io/heartbeat_lock.h"

namespace wende {

/// One writer per model: an exclusive flock on a file, held until destruction or the end of the process. The file says
/// who holds it. Throws kCannotCreate (73) with that text when another process has it and keeps it for
/// patience_seconds: the ranks of a launcher that was killed live for a second or two. Where the file system has no
/// locks (or at the fault "lock"), a HeartbeatLock on "<path>.beat" takes its place.
class FileLock {
 public:
  explicit FileLock(const std::string& path, double patience_seconds = 3);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// Whether some process holds it now; false if there is no such file. Also a text of the holder.
  static bool is_held(const std::string& path, std::string* holder = nullptr);

 private:
  int fd_ = -1;
  std::unique_ptr<HeartbeatLock> heartbeat_;
};

}  // namespace wende
