#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/fault.h"

namespace wende {

namespace {

std::string system_message() { return std::strerror(errno); }

/// Lets tests make the n-th file operation fail.
bool may_go_on(const char* phase) {
  const int injected = fault_errno(phase);
  if (injected != 0) errno = injected;
  return injected == 0;
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int close() {
    const int result = ::close(fd_);
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

/// close() is checked too: network file systems report a full disk only there.
bool write_all(Descriptor& file, const std::string& bytes) {
  size_t done = 0;
  if (!may_go_on("io-write")) return false;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += static_cast<size_t>(count);
  }
  return may_go_on("io-fsync") && ::fsync(file.get()) == 0 && file.close() == 0;
}

}  // namespace

ExitStatus status_of_refusal(int error) {
  const bool takes_nothing = error == ENOSPC || error == EDQUOT || error == EROFS || error == EIO || error == EFBIG;
  return takes_nothing ? ExitStatus::kIo : ExitStatus::kCannotCreate;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string temporary_name(const std::string& path) { return fmt::format("{}.tmp.{}", path, ::getpid()); }

void sync_to_disk(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  const bool ok = file.ok() && may_go_on("io-fsync") && ::fsync(file.get()) == 0;
  // Some file systems cannot sync folders and say EINVAL: nothing more can be done there.
  if (!ok && errno != EINVAL) {
    throw Error(ExitStatus::kIo, fmt::format("cannot write '{}' to disk: {}", path, system_message()));
  }
}

void rename_path(const std::string& from, const std::string& to) {
  if (!may_go_on("io-rename") || ::rename(from.c_str(), to.c_str()) != 0) {
    throw Error(ExitStatus::kIo, fmt::format("cannot rename '{}' to '{}': {}", from, to, system_message()));
  }
  sync_to_disk(folder_of(to));
}

void write_file_atomically(const std::string& path, const std::string& bytes) {
  write_file_atomically(path, [&](const std::string& temporary) {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.ok()) throw Error(ExitStatus::kIo, fmt::format("cannot create '{}': {}", temporary, system_message()));
    if (!write_all(file, bytes)) {
      throw Error(ExitStatus::kIo,
                  fmt::format("cannot write {} bytes to '{}': {}", bytes.size(), temporary, system_message()));
    }
  });
}

void write_file_atomically(const std::string& path, const std::function<void(const std::string& temporary)>& write) {
  const std::string temporary = temporary_name(path);
  try {
    write(temporary);
    sync_to_disk(temporary);
    rename_path(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string read_file(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    throw Error(absent ? ExitStatus::kMissingInput : ExitStatus::kIo,
                fmt::format("cannot read '{}': {}", path, system_message()));
  }
  std::string bytes;
  struct stat info;
  if (::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode)) bytes.reserve(static_cast<size_t>(info.st_size) + 1);
  size_t filled = 0;
  while (true) {
    bytes.resize(std::max(bytes.capacity(), filled + 4096));
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(ExitStatus::kIo, fmt::format("cannot read '{}': {}", path, system_message()));
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

void make_folders(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code || !std::filesystem::is_directory(path)) {
    const std::string why = code ? code.message() : "a file of this name is in the way";
    throw Error(status_of_refusal(code.value()), fmt::format("cannot make the folder '{}': {}", path, why));
  }
}

void check_writable(const std::string& path) {
  make_folders(folder_of(path));
  const std::string probe = path + fmt::format(".probe.{}", ::getpid());
  Descriptor file(probe, O_WRONLY | O_CREAT | O_TRUNC);
  const bool ok = file.ok() && write_all(file, "probe\n");
  const int error = errno;
  ::unlink(probe.c_str());
  if (!ok) {
    throw Error(status_of_refusal(error),
                fmt::format("cannot write files in '{}': {}", folder_of(path), std::strerror(error)));
  }
}

}  // namespace wende
