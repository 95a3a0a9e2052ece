#include "app/slurm.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>

#include "base/error.h"

namespace wende {

namespace {

/// Slurm reads "24:00" as 24 minutes; people mean hours. Slurm's longer forms go through.
std::string slurm_time(const std::string& text) {
  std::smatch match;
  if (std::regex_match(text, match, std::regex(R"((\d+):(\d\d))"))) {
    return fmt::format("{}:{}:00", match[1].str(), match[2].str());
  }
  if (std::regex_match(text, std::regex(R"(\d+:\d\d:\d\d|\d+-\d+(:\d\d){0,2})"))) {
    return text;
  }
  throw Error(ExitStatus::kUsage, fmt::format("--time {}: not a time", text))
      .hint("hours:minutes as in 24:00, hours:minutes:seconds, or days-hours as in 2-12");
}

/// In single quotes for a shell.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

std::string file_stem(const std::string& config) {
  std::string stem = std::filesystem::path(config).stem().string();
  std::erase_if(stem, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_'; });
  return stem.empty() ? "wende" : stem;
}

/// Status 75 comes after a step or an evaluation that was cut short, never from a run that failed: those do not come
/// back.
constexpr const char* kBody = R"(
# Three restarts at the same step in a row: whatever stops the job so early will do so again.
echo "start ${{SLURM_RESTART_COUNT:-0}} of job $SLURM_JOB_ID"
log=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *StdOut=//p')
stuck=$(awk '/^start [0-9]+ of job /{{n++; place[n]="the beginning"}} /^Going on (in|after) epoch/{{place[n]=$0}}
  END{{if (n > 4 && place[n-1] == place[n-2] && place[n-2] == place[n-3]) print place[n-1]}}' "$log")
if [ -n "$stuck" ]; then echo "no progress in three restarts: $stuck"; exit 1; fi
# Before the time limit Slurm sends USR1: the ranks write a checkpoint and end with status 75, and the job queues itself
# again. The same command then goes on where it was. TERM (scancel, preemption) gives a checkpoint too, but whoever sent
# it decides whether the job comes back.
trap 'kill -USR1 $child' USR1
trap 'ended=1; kill -USR1 $child' TERM
{command} & child=$!
wait $child; status=$?
while kill -0 $child 2>/dev/null; do wait $child; status=$?; done   # a trap ends `wait` early
echo "status $status, restart ${{SLURM_RESTART_COUNT:-0}}"
if [ $status = 75 ] && [ -z "${{ended:-}}" ]; then scontrol requeue $SLURM_JOB_ID; sleep 60; fi
exit $status
)";

}  // namespace

std::string slurm_batch_file(const SlurmJob& job) {
  if (job.gpus < 0 || job.ranks < 0 || job.gpus_per_node < 1) {
    throw Error(ExitStatus::kUsage, "--gpus, --ranks and --gpus-per-node count things");
  }
  if (job.launcher != "srun" && job.launcher != "mpirun") {
    throw Error(ExitStatus::kUsage, fmt::format("--launcher {}: srun or mpirun", job.launcher));
  }
  const int ranks = job.ranks > 0 ? job.ranks : std::max(job.gpus, 1);
  const std::string stem = file_stem(job.config);
  std::string text = "#!/bin/bash\n";
  const auto directive = [&text](const std::string& line) { text += "#SBATCH " + line + "\n"; };
  directive("--job-name=" + stem);
  directive(fmt::format("--ntasks={}", ranks));
  if (job.gpus > 0) {
    const int nodes = (job.gpus + job.gpus_per_node - 1) / job.gpus_per_node;
    directive(fmt::format("--nodes={}", nodes));
    directive(fmt::format("--gres=gpu:{}", (job.gpus + nodes - 1) / nodes));
  }
  directive("--time=" + slurm_time(job.time));
  if (!job.partition.empty()) {
    directive("--partition=" + job.partition);
  }
  directive("--requeue");
  directive("--open-mode=append");
  directive(fmt::format("--output={}.%j.log", stem));
  directive(fmt::format("--signal=B:USR1@{}", job.lead_seconds));
  const std::string start = job.launcher == "srun" ? "srun --mpi=pmix" : "mpirun --mca odls_base_sigkill_timeout 5";
  text += fmt::format(fmt::runtime(kBody),
                      fmt::arg("command", start + " " + quoted(job.program) + " " + quoted(job.config)));
  return text;
}

}  // namespace wende
