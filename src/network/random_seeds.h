#pragma once

#include <cstdint>

#include "config/config.h"

namespace wende {

/// Seed of the numpy.random.RandomState from which a network gives a seed to each initialiser and dropout, in the order
/// in which its layers are built. As RETURNN's engine sets it for the epoch in which the network is made.
uint32_t network_seed(const Config& config);

/// TensorFlow's graph seed, the first half of the key of all random numbers. As RETURNN's engine sets it.
uint64_t graph_seed(const Config& config);

}  // namespace wende
