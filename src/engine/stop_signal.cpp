#include "engine/stop_signal.h"

#include <csignal>

namespace wende {

namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int) { requested = 1; }

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return requested != 0; }

}  // namespace wende
