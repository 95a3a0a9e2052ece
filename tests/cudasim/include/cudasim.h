// cudasim: what a *test* may ask the emulator (product code never includes this).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cudasim {
struct Report {
  std::string kind;  // "shared-race", "global-race", "stream-race", "out-of-bounds", "use-after-free", ...
  std::string text;
};
const std::vector<Report>& reports();  // everything found so far (each distinct site once)
void clear_reports();                  // a test that expects a finding consumes it; leftovers fail the process at exit
// CUDASIM_SCHED=lazy|eager (streams), CUDASIM_ORDER=forward|reverse|random (threads and blocks), CUDASIM_SEED=n
struct Options {
  bool lazy = true;  // streams run only when the host waits for them, and only what it waits for
  int order = 2;     // 0 forward, 1 reverse, 2 random
  std::uint64_t seed = 1;
  bool guard = true;        // device memory is PROT_NONE while host code runs
  bool initcheck = false;   // report reads of never-written global memory (checked build)
  bool strict_exit = true;  // a barrier reached while other threads of the block have exited is reported
};
Options& options();
struct Stats {
  std::uint64_t kernels, blocks, threads, switches, accesses;
};
Stats stats();
// the dynamic shared-memory symbol of the project (it lives in TLS like every other __shared__ variable)
struct DynamicShared {
  DynamicShared(void* base, std::size_t bytes);
};
}  // namespace cudasim
