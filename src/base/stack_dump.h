#pragma once

#include <string>

namespace wende {

/// SIGUSR2: prints where the training thread is (the board and its stack) on stderr and goes on. Call it in the
/// training thread, first thing in main.
void install_stack_handler();
/// The same, into a file; from another thread. Waits at most `seconds` for the training thread to write it; false if it
/// did not (then the file holds the board alone, written by the caller).
bool write_stack_to(const std::string& path, double seconds);

}  // namespace wende
