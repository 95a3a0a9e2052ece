#pragma once

#include <optional>

#include "dataset/batch.h"
#include "network/network.h"

namespace wende {

/// Every size-th sequence of a batch, from number `rank` on; nothing if there is none. Data without a batch axis is
/// everyone's. They keep the padding of the whole batch: convolutions and the like see it, as in RETURNN.
std::optional<Batch> share_of(const Batch& batch, const ExternData& extern_data, int rank, int size);

}  // namespace wende
