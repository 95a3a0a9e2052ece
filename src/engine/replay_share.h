#pragma once

#include <optional>

#include "dataset/batch.h"
#include "network/network.h"

namespace wende {

/// Every size-th sequence of a batch, from number `rank` on, without padding that none of them needs; nothing if there
/// is none. Data without a batch axis is everyone's.
std::optional<Batch> share_of(const Batch& batch, const ExternData& extern_data, int rank, int size);

}  // namespace wende
