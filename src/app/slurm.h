#pragma once

#include <string>

namespace wende {

/// What a batch file for Slurm needs to know.
struct SlurmJob {
  std::string program = "wende";
  std::string config;
  int gpus = 0;   ///< in all; 0: a CPU job
  int ranks = 0;  ///< in all; 0: one per GPU, or one
  int gpus_per_node = 8;
  std::string time = "24:00";  ///< hours:minutes, or Slurm's own forms days-hours, hours:minutes:seconds
  std::string partition;
  std::string launcher = "srun";  ///< or "mpirun"
  int lead_seconds = 120;         ///< before the time limit: when the job is told to write its checkpoint
};

/// Text of a batch file that trains, checkpoints before the limit, and requeues itself until training is done. kUsage
/// for values that make no job.
std::string slurm_batch_file(const SlurmJob& job);

}  // namespace wende
