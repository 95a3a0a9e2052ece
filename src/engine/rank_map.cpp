#include "engine/rank_map.h"

#include <fmt/core.h>
#include <sched.h>

#include <cstdlib>
#include <map>
#include <vector>

#include "base/log.h"
#include "collective/device_sums.h"
#include "device/cuda_memory.h"
#include "io/hdf5_version.h"
#include "kernels/rnn_library.h"

namespace wende {

namespace {

int environment_number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : std::atoi(text);
}

/// "0-3,8": cores that this process may run on.
std::string core_list() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return "?";
  }
  std::string text;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &set)) {
      continue;
    }
    int last = core;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) {
      ++last;
    }
    text += fmt::format("{}{}", text.empty() ? "" : ",", core);
    if (last > core) {
      text += fmt::format("-{}", last);
    }
    core = last;
  }
  return text;
}

std::string thread_count() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  return text == nullptr ? "1" : text;
}

}  // namespace

int local_rank(Communicator& communicator) {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"}) {
    if (const int number = environment_number(name); number >= 0 && communicator.size() > 1) {
      return number;
    }
  }
  return 0;
}

std::string library_versions(const Communicator& communicator) {
  const std::string launcher = communicator.description() == "self" ? "" : communicator.description() + ", ";
  return fmt::format("Wende {}, {}{}{}{}, HDF5 {}", WENDE_VERSION, launcher, nccl_version(), cuda::library_text(),
                     cuda::rnn_library_text(), hdf5_version());
}

void log_rank_map(Communicator& communicator, const std::string& device) {
  const std::string own = fmt::format("local rank {}, {}, {} thread{}, cores {}", local_rank(communicator), device,
                                      thread_count(), thread_count() == "1" ? "" : "s", core_list());
  const std::vector<std::string> rows = communicator.gather(communicator.host_name() + "\n" + own);
  if (!communicator.is_root()) {
    return;
  }
  log_line(3, library_versions(communicator));
  constexpr size_t kMostRows = 16;
  std::map<std::string, std::string> hosts;
  for (size_t rank = 0; rank < rows.size(); ++rank) {
    const size_t end = rows[rank].find('\n');
    const std::string host = rows[rank].substr(0, end);
    if (rows.size() <= kMostRows) {
      log_line(3, fmt::format("rank {}: {}, {}", rank, host, rows[rank].substr(end + 1)));
    }
    hosts[host] += fmt::format(" {}", rank);
  }
  if (rows.size() > kMostRows) {
    for (const auto& [host, ranks] : hosts) {
      log_line(3, fmt::format("host {}: ranks{}", host, ranks));
    }
  }
}

}  // namespace wende
