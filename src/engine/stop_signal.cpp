#include "engine/stop_signal.h"

#include <unistd.h>

#include <csignal>

namespace wende {

namespace {

volatile std::sig_atomic_t requested = 0;
volatile std::sig_atomic_t term = 0;

void on_signal(int signal) {
  requested = 1;
  if (signal == SIGTERM) {
    term = 1;
  }
}

/// Ends the process as the signal does by itself, but not without a word.
void on_interrupt(int signal) {
  static const char kText[] = "\nInterrupted. The same command goes on from the last checkpoint.\n";
  const ssize_t ignored = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  static_cast<void>(ignored);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void announce_interrupts() {
  struct sigaction action {};
  if (sigaction(SIGINT, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;  // ignored in the background
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
}

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond a limit then fails, and the file is named
}

bool stop_requested() { return requested != 0; }
bool terminated() { return term != 0; }

}  // namespace wende
