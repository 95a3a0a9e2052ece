#include <fmt/core.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "collective/communicator.h"

namespace wende {
namespace {

int number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atoi(text);
}

/// The number of ranks that the launcher of this process says, and where it says so. 0: no launcher is seen.
struct LaunchedSize {
  int size = 0;
  std::string variable;
};

LaunchedSize launched_size() {
  if (int size = number_in_environment("OMPI_COMM_WORLD_SIZE"); size > 0) return {size, "OMPI_COMM_WORLD_SIZE"};
  // srun sets SLURM_STEP_NUM_TASKS; the batch script itself (SLURM_NTASKS without SLURM_PROCID of a step) is one
  // process.
  bool in_step = std::getenv("SLURM_STEP_ID") != nullptr && std::getenv("SLURM_PROCID") != nullptr;
  if (in_step) {
    if (int size = number_in_environment("SLURM_STEP_NUM_TASKS"); size > 0) return {size, "SLURM_STEP_NUM_TASKS"};
    if (int size = number_in_environment("SLURM_NTASKS"); size > 0) return {size, "SLURM_NTASKS"};
  }
  if (std::getenv("PMIX_RANK") != nullptr) return {1, "PMIX_RANK"};
  return {};
}

}  // namespace

std::unique_ptr<Communicator> Communicator::detect(int* argc, char*** argv) {
  LaunchedSize launched = launched_size();
  if (launched.size == 0) return self();
  // One task by srun has no need of MPI, and srun without a PMI plugin would make MPI_Init fail.
  if (launched.size == 1 && launched.variable.starts_with("SLURM")) return self();
  if (launched.variable.starts_with("SLURM") && std::getenv("PMIX_RANK") == nullptr) {
    throw Error(ExitStatus::kUsage, fmt::format("{}={} but the launcher offers no PMIx: every process would run alone",
                                                launched.variable, launched.size))
        .hint("start with \"srun --mpi=pmix\" or with mpirun");
  }
  auto communicator = mpi(argc, argv);
  if (launched.size > 1 && communicator->size() == 1) {
    throw Error(ExitStatus::kUsage, fmt::format("{}={} but MPI sees one rank: every process would run alone",
                                                launched.variable, launched.size))
        .hint("start with \"srun --mpi=pmix\", or with the mpirun of the Open MPI that this program is linked with");
  }
  return communicator;
}

}  // namespace wende
