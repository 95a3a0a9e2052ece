#pragma once

#include <string>

namespace wende {

/// Faults on purpose, for tests: WENDE_FAULT=kind[=value]@rankR[:stepS][:phase][#n], several with commas; refused
/// unless WENDE_ALLOW_FAULTS=1. Kinds: kill, segv, exit, throw, hang, stop (SIGSTOP), term, usr1, slow=50ms, enospc,
/// eio (a file operation fails), and bitflip (asked for by the engine). Without a step: at any; without a phase: the
/// first place that is reached; #n: the n-th time that rank, step and phase fit. `slow` strikes every time. Phases:
/// dataset, input, forward, backward, allreduce, optimizer, step-end, ck-open, ck-write, ck-fsync, ck-rename, io-write,
/// io-fsync, io-rename, lock.
void read_faults_from_environment();

namespace fault_detail {
inline bool armed = false;
void reach(const char* phase);
int error_at(const char* phase);
bool due(const char* kind, const char* phase);
}  // namespace fault_detail

/// A place where a fault may strike; one branch when there is none to come.
inline void fault_point(const char* phase) {
  if (fault_detail::armed) [[unlikely]] {
    fault_detail::reach(phase);
  }
}
/// For file operations: the errno with which this one is to fail, or 0.
inline int fault_errno(const char* phase) { return fault_detail::armed ? fault_detail::error_at(phase) : 0; }
/// For kinds that the caller carries out.
inline bool fault_due(const char* kind, const char* phase) {
  return fault_detail::armed && fault_detail::due(kind, phase);
}

}  // namespace wende
