#pragma once

namespace wende {

/// SIGUSR1 and SIGTERM ask for a checkpoint at the end of the step and a stop with status 75. The handlers only set a
/// flag; install them as the first thing in main, before MPI and Python start.
void install_stop_handlers();
/// From now on SIGINT (Ctrl-C) says how to go on before it ends the process.
void announce_interrupts();
bool stop_requested();
/// SIGTERM has come: a launcher that ends the rest after a crash sends it too, so peers may be gone.
bool terminated();

}  // namespace wende
