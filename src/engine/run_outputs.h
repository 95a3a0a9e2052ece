#pragma once

#include <string>
#include <vector>

#include "engine/network_runner.h"
#include "io/hdf5.h"

namespace wende {

/// A layer's output as people look at it: batch axis first; lengths of each dynamic axis.
struct ReadableOutput {
  Tensor values;
  std::string axes;  ///< "B,T,F": B batch, T time, F feature, D other dynamic, S other static
  std::vector<std::pair<int, std::vector<int32_t>>> sizes;  ///< axis of `values` -> lengths [B]
};

enum class Padding { kZero, kKeep };

/// kKeep: padding has the values that the network computed there.
ReadableOutput make_readable(const Data& data, const Tensor& values, const Binding& binding,
                             Padding padding = Padding::kZero);

/// Writes one output with its attributes (axes, sizes:<i>, layer_class, sparse).
void write_output(hdf5::File& file, const std::string& path, const ReadableOutput& output, const NetworkLayer& layer);

/// /losses/<mode>/<name>/... and /total/<mode>/... of a run.
void write_losses(hdf5::File& out, const std::string& mode, const Network& network, const StepReport& report);

}  // namespace wende
