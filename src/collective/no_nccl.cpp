#include "base/error.h"
#include "collective/device_sums.h"

namespace wende {

namespace {

[[noreturn]] void absent() {
  throw Error(ExitStatus::kUsage, "this build of Wende has no NCCL").hint("cmake --preset cuda, or --device cpu");
}

}  // namespace

std::unique_ptr<AsyncSums> device_sums(Communicator&, bool) { absent(); }
std::unique_ptr<ShardedSums> device_shards(Communicator&, const float*, size_t) { absent(); }

std::string nccl_version() { return "no NCCL"; }

}  // namespace wende
