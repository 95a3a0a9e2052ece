#include "app/check_data.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "base/memory_use.h"
#include "dataset/corpus_check.h"
#include "dataset/hdf_corpus_file.h"

namespace wende {

namespace {

/// How the reading process ended: what it said of each file (one line as it begins it) and of what is wrong.
struct Reading {
  bool started = false;
  int status = 0;  ///< of waitpid
  std::string lines;
  std::string errors;
};

std::string read_all(int fd) {
  std::string text;
  char bytes[4096];
  for (ssize_t count = 0; (count = ::read(fd, bytes, sizeof(bytes))) != 0;) {
    if (count > 0) text.append(bytes, static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  ::close(fd);
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

/// This program again, without a copy of this process's memory, threads and devices.
Reading read_in_child(const std::vector<std::string>& paths, bool samples) {
  std::vector<std::string> words = {"wende", "check-data", "--here"};
  if (samples) words.emplace_back("--samples");
  words.emplace_back("--");
  words.insert(words.end(), paths.begin(), paths.end());
  Reading reading;
  int lines[2];
  int errors[2];
  if (::pipe2(lines, O_CLOEXEC) != 0) return reading;
  if (::pipe2(errors, O_CLOEXEC) != 0) {
    ::close(lines[0]);
    ::close(lines[1]);
    return reading;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, lines[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  pid_t child = -1;
  reading.started = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers(words).data(), ::environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(lines[1]);
  ::close(errors[1]);
  reading.lines = read_all(lines[0]);
  reading.errors = read_all(errors[0]);  // less than a pipe holds
  while (reading.started && ::waitpid(child, &reading.status, 0) < 0) {
    if (errno != EINTR) reading.started = false;
  }
  return reading;
}

bool died(const Reading& reading) { return WIFSIGNALED(reading.status); }

[[noreturn]] void refuse(const Reading& reading) {
  const size_t end = reading.lines.find_last_not_of('\n');
  const size_t begin = end == std::string::npos ? 0 : reading.lines.rfind('\n', end) + 1;
  const std::string last = end == std::string::npos ? "a data file" : reading.lines.substr(begin, end + 1 - begin);
  if (!died(reading)) {
    const std::string text = reading.errors.substr(0, reading.errors.find_last_not_of('\n') + 1);
    throw Error(static_cast<ExitStatus>(WEXITSTATUS(reading.status)), text);
  }
  const int signal = WTERMSIG(reading.status);
  const std::string how = signal == SIGXCPU ? std::string("the HDF5 library does not come to an end with it")
                                            : fmt::format("the HDF5 library does not survive it (signal {})", signal);
  throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is damaged: {}", last, how)).hint("write it again");
}

/// Many times what good files need: a second for each 20 MB, and memory for all of them unpacked.
void limit_this_process(const std::vector<std::string>& paths) {
  double bytes = 0;
  for (const std::string& path : paths) {
    std::error_code code;
    const auto size = std::filesystem::file_size(path, code);
    bytes += code ? 0 : static_cast<double>(size);
  }
  const auto lower = [](auto resource, double most) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) return;
    limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(most));
    ::setrlimit(resource, &limit);
  };
  lower(RLIMIT_CPU, 20 + bytes / 20e6);
  lower(RLIMIT_AS, memory_use().address_space + 4e9 + 8 * bytes);
  lower(RLIMIT_CORE, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

int check_data_here(const std::vector<std::string>& paths, bool samples) {
  limit_this_process(paths);
  for (const std::string& path : paths) {
    fmt::print("{}\n", path);
    std::fflush(stdout);
    try {
      read_corpus_file(path, !samples);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is damaged ({})", path, error.what()));
    }
  }
  std::fflush(nullptr);
  std::_Exit(0);  // what libhdf5 does at its end is of no use here
}

int check_data(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const Reading reading = read_in_child({path}, false);
    if (!reading.started) throw Error(ExitStatus::kFailure, "cannot start a process");
    if (reading.status != 0) refuse(reading);
    fmt::print("{}: good\n", path);
    std::fflush(stdout);
  }
  return 0;
}

void check_files_of_training(const std::vector<std::string>& paths) {
  const Reading reading = read_in_child(paths, true);
  if (!reading.started) {
    log_line(3, "The data files are not checked before they are opened: no process can be started.");
  } else if (reading.status != 0) {
    refuse(reading);
  }
}

}  // namespace wende
