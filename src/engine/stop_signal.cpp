#include "engine/stop_signal.h"

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

}  // namespace

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
