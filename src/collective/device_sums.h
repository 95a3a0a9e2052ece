#pragma once

#include <memory>
#include <string>

#include "collective/communicator.h"
#include "collective/shards.h"

namespace wende {

/// Sums of memory on the ranks' GPUs by NCCL, on a stream of its own beside the computation's. All ranks call it, each
/// with its GPU chosen. Throws kUsage when two ranks have the same GPU (WENDE_SHARE_GPU=1 leaves that to NCCL).
/// Waiting polls NCCL's errors; one that is found ends the communicator here and throws kFailure.
/// bfloat16: on the wire, with the error that bfloat16_sums() states.
std::unique_ptr<AsyncSums> device_sums(Communicator& communicator, bool bfloat16 = false);
/// The same for memory of which each rank owns a part.
std::unique_ptr<ShardedSums> device_shards(Communicator& communicator, const float* gradients, size_t count);

/// "NCCL 2.27.5", or "no NCCL".
std::string nccl_version();

}  // namespace wende
