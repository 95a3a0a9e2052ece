#include "base/error.h"
#include "collective/device_sums.h"

namespace wende {

std::unique_ptr<AsyncSums> device_sums(Communicator&) {
  throw Error(ExitStatus::kUsage, "this build of Wende has no NCCL").hint("cmake --preset cuda, or --device cpu");
}

std::string nccl_version() { return "no NCCL"; }

}  // namespace wende
