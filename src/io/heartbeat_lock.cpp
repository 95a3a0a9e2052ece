#include "io/heartbeat_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

/// Another process that also found the file stale may remove it a moment after this one has made its own.
constexpr double kSettleSeconds = 1;

double seconds_of(const struct stat& info) {
  return static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

/// Process numbers mean something only within it.
std::string process_space() {
  char text[64] = "";
  const ssize_t length = ::readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
  return {text, static_cast<size_t>(length > 0 ? length : 0)};
}

/// What the file says, and how long ago it was renewed.
struct Holder {
  std::string text, id;
  double time = 0;  ///< of its last sign of life, by the file server's clock
  double age = 0;
  bool local = false;  ///< its process would be one of this host
  bool runs = false;   ///< it is, and lives
};

/// The file server's time: that of a file made now.
double server_seconds(const std::string& path) {
  const std::string probe = fmt::format("{}.probe.{}.{}", path, host_name(), ::getpid());
  const int fd = ::open(probe.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  struct stat info = {};
  const bool known = fd >= 0 && ::write(fd, "x", 1) == 1 && ::fstat(fd, &info) == 0;
  const int error = errno;
  if (fd >= 0) {
    ::close(fd);
    ::unlink(probe.c_str());
  }
  if (!known) {
    throw Error(status_of_refusal(error), fmt::format("cannot create '{}': {}", probe, std::strerror(error)));
  }
  return seconds_of(info);
}

/// False if there is no such file.
bool read_holder(const std::string& path, Holder& holder) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info = {};
  char bytes[1024] = "";
  const bool there = fd >= 0 && ::fstat(fd, &info) == 0 && ::pread(fd, bytes, sizeof(bytes) - 1, 0) >= 0;
  if (fd >= 0) ::close(fd);
  if (!there) return false;
  const std::string all = bytes;
  const size_t line = all.find('\n');
  holder.text = all.substr(0, line);
  holder.id = line == std::string::npos ? "" : all.substr(line + 1);
  holder.time = seconds_of(info);
  const size_t process = holder.id.rfind(' ');
  holder.local = process != std::string::npos && holder.id.substr(0, process) == host_name() + " " + process_space();
  if (holder.local) {
    const int pid = std::atoi(holder.id.c_str() + process);
    holder.runs = pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM);
  }
  return true;
}

bool is_dead(const Holder& holder, const HeartbeatLock::Times& times) {
  return holder.age > times.stale || (holder.local && !holder.runs);
}

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace

HeartbeatLock::HeartbeatLock(std::string path, const std::string& text, const Times& times)
    : path_(std::move(path)), id_(fmt::format("{} {} {}", host_name(), process_space(), ::getpid())), times_(times) {
  wait_for_turn(text);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the training thread
  thread_ = std::thread([this] { beat(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

HeartbeatLock::~HeartbeatLock() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  Holder holder;
  if (read_holder(path_, holder) && holder.id == id_) ::unlink(path_.c_str());
}

/// False if it is there already.
bool HeartbeatLock::create(const std::string& text) const {
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return false;
  const std::string all = text + "\n" + id_;
  const bool written = fd >= 0 && ::write(fd, all.data(), all.size()) == static_cast<ssize_t>(all.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!written) {
    if (fd >= 0) ::unlink(path_.c_str());
    throw Error(status_of_refusal(error), fmt::format("cannot create '{}': {}", path_, std::strerror(error)));
  }
  return true;
}

void HeartbeatLock::wait_for_turn(const std::string& text) const {
  const double start = monotonic_seconds();
  Holder holder, first;
  while (!create(text)) {
    if (!read_holder(path_, holder)) continue;
    holder.age = server_seconds(path_) - holder.time;
    if (first.id != holder.id) first = holder;
    if (is_dead(holder, times_)) {
      log_line(2, fmt::format("'{}' is left over ({}): its run is gone", path_, holder.text));
      ::unlink(path_.c_str());
      if (!create(text)) continue;
      sleep_for(kSettleSeconds);
      if (read_holder(path_, holder) && holder.id == id_) return;
      continue;
    }
    const bool lives = holder.runs || holder.time > first.time;
    if (lives && monotonic_seconds() - start >= times_.patience) {
      throw Error(ExitStatus::kCannotCreate, fmt::format("another run writes this model: {}", holder.text))
          .frame(fmt::format("file {}, renewed {:.0f} s ago (files cannot be locked there)", path_, holder.age))
          .hint("wait for it, or give this run another 'model'");
    }
    sleep_for(0.1);
  }
}

void HeartbeatLock::beat() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(times_.beat), [this] { return ending_; })) {
    ::utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);  // the server's time
    Holder holder;
    if (read_holder(path_, holder) && holder.id != id_) {
      // This process stood still for so long that it counted as dead: it must not write any more.
      fmt::print(stderr, "'{}' was taken over while this run stood still: {}\n", path_, holder.text);
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(ExitStatus::kCannotCreate));
    }
  }
}

bool HeartbeatLock::is_held(const std::string& path, const Times& times, std::string* text) {
  Holder holder;
  if (!read_holder(path, holder)) return false;
  try {
    holder.age = server_seconds(path) - holder.time;
  } catch (const Error&) {  // where nothing can be written the own clock has to do
    holder.age =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() - holder.time;
  }
  if (text != nullptr) *text = holder.text;
  return !is_dead(holder, times);
}

}  // namespace wende
