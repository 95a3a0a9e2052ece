#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "collective/communicator.h"
#include "tensor/tensor.h"

namespace wende {

/// A 64-bit hash of bytes (four lanes of multiply and rotate: memory speed). Not for adversaries.
uint64_t hash64(const void* data, size_t bytes);
inline uint64_t hash64(const std::string& text) { return hash64(text.data(), text.size()); }

/// What must be the same on all ranks: a name and a text of each ("config", its source), in the same order on all.
using Facts = std::vector<std::pair<std::string, std::string>>;
/// Compares hashes of the facts; where a rank has another one than rank 0, all ranks throw kRanksDisagree with a table.
void require_agreement(Communicator& communicator, const Facts& facts);

/// The same for the values of all parameters after a step; one small sum when they agree.
void require_equal_parameters(Communicator& communicator, const Tensor& flat_values, int64_t step);

}  // namespace wende
