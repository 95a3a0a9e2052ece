#include "device/choose_device.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/error.h"
#include "device/cuda_memory.h"

namespace wende {
namespace {

int environment_number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::atoi(text) : otherwise;
}

/// The number behind "gpu", "gpu:", "cuda:"; -1: none.
int index_in(const std::string& name) {
  const size_t digits = name.find_first_of("0123456789");
  return digits == std::string::npos ? -1 : std::atoi(name.c_str() + digits);
}

bool names_gpu(const std::string& name) {
  const size_t letters = name.find_first_of(":0123456789");
  const std::string word = name.substr(0, letters);
  if (word != "gpu" && word != "cuda") return false;
  if (letters == std::string::npos) return true;
  const std::string rest = name.substr(letters + (name[letters] == ':' ? 1 : 0));
  return !rest.empty() && rest.size() < 4 && rest.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

int local_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"}) {
    if (std::getenv(name) != nullptr) return environment_number(name, 0);
  }
  return 0;
}

Device choose_device(const std::string& name) {
  if (name == "cpu") return Device::cpu();
  if (!names_gpu(name)) {
    throw Error(ExitStatus::kUsage, fmt::format("there is no device '{}'", name))
        .hint("cpu, gpu, or gpu:1 for one GPU");
  }
  const int asked = index_in(name);
  // Launchers that bind GPUs show each process its own one, as number 0.
  const int index = asked >= 0 ? asked : local_rank() % cuda::visible_gpus();
  cuda::use_gpu(index);
  return {Device::Kind::kCuda, index};
}

Device choose_device() {
  if (!built_with_cuda()) return Device::cpu();
  try {
    return choose_device("gpu");
  } catch (const Error&) {
    return Device::cpu();
  }
}

std::string device_text(Device device) {
  return device.is_cpu() ? "cpu" : fmt::format("GPU {}: {}, bus {}", device.index, cuda::gpu_name(), cuda::gpu_id());
}

bool built_with_cuda() { return cuda::kPresent; }

}  // namespace wende
