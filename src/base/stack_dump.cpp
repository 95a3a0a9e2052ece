#include "base/stack_dump.h"

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/progress.h"

namespace wende {

namespace {

pthread_t training_thread;
std::atomic<int> target{STDERR_FILENO};
std::atomic<int> written{0};
/// All parts of a dump go through it, so that they reach stderr in one piece, not between those of other ranks.
int collect[2] = {-1, -1};
char collected[1 << 15];

/// Only what a signal handler may call: no allocation, no stdio.
void put(int fd, const char* text) {
  if (text != nullptr && ::write(fd, text, std::strlen(text)) < 0) {
    return;
  }
}

void put(int fd, int64_t number) {
  char digits[24];
  char* at = digits + sizeof(digits) - 1;
  *at = '\0';
  const bool negative = number < 0;
  do {
    *--at = static_cast<char>('0' + (negative ? -(number % 10) : number % 10));
    number /= 10;
  } while (number != 0);
  if (negative) {
    *--at = '-';
  }
  put(fd, at);
}

void put_board(int fd) {
  const Progress& board = progress();
  put(fd, "rank ");
  put(fd, int64_t{board.rank.load()});
  put(fd, ": epoch ");
  put(fd, board.epoch.load());
  put(fd, " step ");
  put(fd, board.step.load());
  put(fd, ", ");
  put(fd, board.phase.load()->name);
  put(fd, ", layer '");
  put(fd, board.layer.load());
  put(fd, "', operation '");
  put(fd, board.operation.load());
  put(fd, "'\n");
}

void on_stack_signal(int) {
  if (pthread_equal(pthread_self(), training_thread) == 0) {
    pthread_kill(training_thread, SIGUSR2);  // the kernel gave it to some other thread
    return;
  }
  const int saved = errno;
  const int fd = target.load();
  const int into = collect[1] >= 0 ? collect[1] : fd;
  put_board(into);
  void* frames[64];
  const int count = ::backtrace(frames, 64);
  ::backtrace_symbols_fd(frames, count, into);
  if (into != fd) {
    const ssize_t bytes = ::read(collect[0], collected, sizeof(collected));
    if (bytes > 0 && ::write(fd, collected, static_cast<size_t>(bytes)) < 0) {
      errno = 0;  // there is nowhere to tell it
    }
  }
  written.fetch_add(1);
  errno = saved;
}

}  // namespace

void install_stack_handler() {
  training_thread = pthread_self();
  if (::pipe2(collect, O_CLOEXEC | O_NONBLOCK) != 0) {
    collect[0] = collect[1] = -1;
  }
  void* frame[1];
  ::backtrace(frame, 1);  // loads the unwinder now: that may not happen inside a handler
  struct sigaction action {};
  action.sa_handler = on_stack_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, nullptr);
}

bool write_stack_to(const std::string& path, double seconds) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return false;
  }
  const int before = written.load();
  target.store(fd);
  pthread_kill(training_thread, SIGUSR2);
  for (double waited = 0; written.load() == before && waited < seconds; waited += 0.01) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  target.store(STDERR_FILENO);
  const bool done = written.load() != before;
  if (!done) {
    put_board(fd);
  }
  ::fsync(fd);  // left open: the handler may still come
  return done;
}

}  // namespace wende
