#include "engine/memory_estimate.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>

#include "kernels/product_workspace.h"
#include "kernels/rnn_layer.h"
#include "ops/linear_relu.h"
#include "ops/rnn_layer.h"
#include "optim/updater.h"

namespace wende {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

/// The smallest of a limit's numbers, which are by data key.
int64_t smallest(const std::map<std::string, int64_t>& limits) {
  int64_t least = kNoLimit;
  for (const auto& [key, limit] : limits) {
    least = limit > 0 ? std::min(least, limit) : least;
  }
  return least;
}

/// Sequences and frames.
std::vector<std::pair<int64_t, int64_t>> largest_batches(const BatchOptions& options) {
  const int64_t all_frames = smallest(options.batch_size);
  const int64_t most = options.frame_mode ? 1 : options.max_seqs > 0 ? options.max_seqs : kNoLimit;
  const int64_t longest = std::min(smallest(options.chunk_size), smallest(options.max_seq_length));
  std::vector<std::pair<int64_t, int64_t>> batches;
  if (all_frames == kNoLimit) {
    return batches;
  }
  const int64_t frames = options.frame_mode ? all_frames : std::min(longest, all_frames);
  batches.emplace_back(std::clamp<int64_t>(all_frames / frames, 1, most), frames);
  if (most != kNoLimit && most > 1 && all_frames / most > 0 && all_frames / most < frames) {
    batches.emplace_back(most, all_frames / most);
  }
  return batches;
}

/// Sizes of a batch, and the bytes of its data.
size_t bind_sizes(const Network& network, int64_t sequences, int64_t frames, Binding& binding) {
  size_t bytes = 0;
  for (const std::string& key : network.used_data_keys()) {
    const Data& data = network.extern_data().keys.at(key);
    if (data.batch_axis() >= 0) {
      binding.bind(data.dims[static_cast<size_t>(data.batch_axis())], sequences);
    }
    for (const int axis : data.dynamic_axes()) {
      const std::vector<int32_t> lengths(static_cast<size_t>(sequences), static_cast<int32_t>(frames));
      binding.bind_lengths(data.dims[static_cast<size_t>(axis)], lengths);
    }
    bytes += static_cast<size_t>(binding.shape(data.dims).elements()) * size_of(data.dtype);
  }
  return bytes;
}

size_t bytes_of(const std::map<std::string, Tensor>& tensors) {
  size_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += tensor.bytes();
  }
  return bytes;
}

/// Only what a run computes has no size yet.
bool has_size(const Binding& binding, const Dim& dim) {
  if (binding.bound(dim)) return true;
  return dim.op() != Dim::Op::kRoot && std::all_of(dim.operands().begin(), dim.operands().end(),
                                                   [&](const Dim& operand) { return has_size(binding, operand); });
}

/// A unit with several gradients is found once for each; a program has one of them.
size_t kept_by_recurrent_layers(const Graph& graph, const Binding& binding) {
  std::map<NodeId, size_t> kept;
  for (const ops::RnnNodes& layer : ops::find_rnn_layers(graph)) {
    const std::vector<Dim>& x = layer.x.dims();
    if (layer.unit_grad < 0 || !std::all_of(x.begin(), x.end(), [&](const Dim& dim) { return has_size(binding, dim); }))
      continue;
    kept[layer.unit] =
        cuda::RnnLayer(layer.form)
            .kept_bytes(binding.size(x[0]), binding.size(x[1]), binding.size(x[2]), binding.size(layer.w_re.dim(0)));
  }
  size_t bytes = 0;
  for (const auto& [unit, of_unit] : kept) {
    bytes += of_unit;
  }
  return bytes;
}

}  // namespace

TrainingEstimate estimate_training(const Config& config, NetworkWithGradients& training, bool gpu) {
  const Network& network = *training.network;
  ParamStore store(network.params(), training.backward_order);
  std::map<std::string, Value> layer_opts;
  for (const std::string& name : store.trainable_names()) {
    layer_opts[name] = network.updater_opts(name);
  }
  const Updater updater(config, store, layer_opts, decoupled_l2(config, network, store));
  const bool library = gpu && cuda::has_rnn_library();
  if (gpu) {  // as the program on a GPU will be
    ops::offer_rnn_layers(network.graph());
    ops::offer_linear_relu(network.graph());
  }
  NetworkRunner runner(network, training.gradients, store);
  const BatchOptions options = BatchOptions::from_config(config, "train", network.has_recurrent_layer());
  TrainingEstimate estimate;
  if (gpu) estimate.host_operations = runner.executor().host_operations();
  for (const auto& [sequences, frames] : largest_batches(options)) {
    Binding binding;
    StepMemory memory{.sequences = sequences, .frames = frames};
    const size_t batch = bind_sizes(network, sequences, frames, binding);
    memory.state = store.flat_values().bytes() + store.flat_gradients().bytes() + bytes_of(updater.state());
    const PlannedMemory planned = runner.executor().planned_memory(binding);
    memory.values = planned.values;
    memory.working = planned.largest * 5 / 4;
    // On a GPU: the batch in its place, and two slots to copy the next one; else what is loaded ahead.
    memory.batches = gpu ? batch * 9 / 8 + 2 * (batch * 5 / 4) : batch * 6;
    memory.products = gpu ? kProductWorkspaceBytes : 0;
    memory.recurrent = library ? kept_by_recurrent_layers(network.graph(), binding) : 0;
    estimate.steps.push_back(memory);
  }
  return estimate;
}

std::string memory_estimate_text(const StepMemory& memory) {
  const auto megabytes = [](size_t bytes) { return static_cast<double>(bytes) * 1e-6; };
  const bool assumed = memory.recurrent > 0 && !cuda::RnnLayer::knows_kept_bytes();
  std::string text = fmt::format("{:.1f} MB for a step with {} sequence{} of {} frames: ", megabytes(memory.total()),
                                 memory.sequences, memory.sequences == 1 ? "" : "s", memory.frames);
  text += fmt::format("{:.1f} for parameters, gradients and optimiser", megabytes(memory.state));
  for (const auto& [bytes, what] :
       std::initializer_list<std::pair<size_t, const char*>>{{memory.values, "values"},
                                                             {memory.working, "working memory"},
                                                             {memory.batches, "batches"},
                                                             {memory.products, "the library of products"},
                                                             {memory.recurrent, "recurrent layers by cuDNN"}}) {
    text += bytes == 0 ? "" : fmt::format(", {:.1f} for {}", megabytes(bytes), what);
  }
  return text + (assumed ? " (an assumption: it says how much only where there is a GPU)" : "");
}

}  // namespace wende
