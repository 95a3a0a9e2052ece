#pragma once

#include <vector>

#include "engine/network_runner.h"

namespace wende {

/// Everything of a report that is summed over ranks, flat.
std::vector<double> flatten(const StepReport& report);
/// Puts such numbers back; what comes after them stays.
void unflatten(const std::vector<double>& values, StepReport& report);
/// Leaves out, on ranks other than the first, what is not a sum over the batch: constraints on parameters, norms that
/// are numbers of the config.
void count_once(StepReport& report, const Network& network);

}  // namespace wende
