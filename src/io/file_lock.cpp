#include "io/file_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

std::string text_line() {
  char host[256] = "";
  ::gethostname(host, sizeof(host) - 1);
  const char* job = std::getenv("SLURM_JOB_ID");
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char time[32] = "";
  std::strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("host {}, process {}{}{}, since {}", host, ::getpid(), job == nullptr ? "" : ", Slurm job ",
                     job == nullptr ? "" : job, time);
}

std::string text_in(int fd) {
  char text[512] = "";
  const ssize_t count = ::pread(fd, text, sizeof(text) - 1, 0);
  std::string line(text, static_cast<size_t>(count > 0 ? count : 0));
  return line.substr(0, line.find('\n'));
}

std::string heartbeat_path(const std::string& path) { return path + ".beat"; }

int lock_exclusively(int fd) {
  errno = fault_errno("lock");
  return errno != 0 ? -1 : ::flock(fd, LOCK_EX | LOCK_NB);
}

}  // namespace

FileLock::FileLock(const std::string& path, double patience_seconds) {
  // Not inherited by children: a descriptor left in one would hold the lock after this process is gone.
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) {
    throw Error(status_of_refusal(errno), fmt::format("cannot create '{}': {}", path, std::strerror(errno)));
  }
  const double end = monotonic_seconds() + patience_seconds;
  int result = lock_exclusively(fd_);
  while (result != 0 && errno == EWOULDBLOCK && monotonic_seconds() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    result = lock_exclusively(fd_);
  }
  if (result != 0) {
    if (errno == EWOULDBLOCK) {
      const std::string holder = text_in(fd_);
      ::close(fd_);
      throw Error(ExitStatus::kCannotCreate, fmt::format("another run writes this model: {}", holder))
          .frame(fmt::format("lock file {}", path))
          .hint("wait for it, or give this run another 'model'");
    }
    log_line(3, fmt::format("'{}' cannot be locked ({}): signs of life in '{}' do instead", path, std::strerror(errno),
                            heartbeat_path(path)));
    HeartbeatLock::Times times;
    times.patience = patience_seconds;
    try {
      heartbeat_ = std::make_unique<HeartbeatLock>(heartbeat_path(path), text_line(), times);
    } catch (...) {
      ::close(fd_);
      throw;
    }
  }
  const std::string text = text_line() + "\n";
  const bool written =
      ::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  if (!written) {
    log_line(3, fmt::format("'{}': {}", path, std::strerror(errno)));  // the lock holds without its text
  }
}

FileLock::~FileLock() { ::close(fd_); }

bool FileLock::is_held(const std::string& path, std::string* holder) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (holder != nullptr) {
    *holder = text_in(fd);
  }
  ::close(fd);
  return held || HeartbeatLock::is_held(heartbeat_path(path), {}, holder);
}

}  // namespace wende
