#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "engine/config_check.h"
#include "engine/epoch_networks.h"
#include "engine/extern_from_dataset.h"
#include "engine/memory_estimate.h"
#include "engine/network_runner.h"

namespace wende {

namespace {

int64_t count_of(const Network& network, const NetworkLayer& layer) {
  int64_t count = 0;
  for (const ParamSpec& spec : network.params()) {
    if (std::find(layer.params.begin(), layer.params.end(), spec.name) != layer.params.end()) {
      count += spec.shape.elements();
    }
  }
  return count;
}

void print_layers(const Network& network) {
  size_t name_width = 5;
  size_t class_width = 5;
  for (const NetworkLayer& layer : network.layers()) {
    name_width = std::max(name_width, layer.name.size());
    class_width = std::max(class_width, layer.class_name.size());
  }
  fmt::print("{:<{}}  {:<{}}  {:>10}  {}\n", "layer", name_width, "class", class_width, "parameters", "output");
  for (const NetworkLayer& layer : network.layers()) {
    fmt::print("{:<{}}  {:<{}}  {:>10}  {}\n", layer.name, name_width, layer.class_name, class_width,
               count_of(network, layer), layer.output.data.str());
  }
}

/// Networks of later epochs: pretraining up to the config's own, or get_network's last.
void check_other_epochs(EpochNetworks& networks, const Config& config, const ExternData& extern_data,
                        NetworkOptions options) {
  int last = networks.pretrain_epochs();
  if (last == 0 && networks.varies()) last = static_cast<int>(config.get_int("num_epochs", 5));
  for (int epoch = 2; epoch <= last; ++epoch) {
    const bool only_last = networks.pretrain_epochs() == 0 && epoch < last;
    if (only_last || networks.first_with_network_of(epoch) != epoch) continue;
    const std::unique_ptr<Network> network = Network::build(networks.config_of(epoch), extern_data, options);
    int64_t parameters = 0;
    for (const ParamSpec& spec : network->params()) parameters += spec.shape.elements();
    fmt::print("network of epoch {}: {} parameters\n", epoch, parameters);
  }
}

}  // namespace

void check(const Config& given) {
  for (const Diagnostic& warning : config_warnings(given)) {
    fmt::print(stderr, "warning: {}\n", warning.render());
  }
  check_config(given);
  EpochNetworks networks(with_extern_data(given));
  const Config config = networks.config_of(1);
  const ExternData extern_data = ExternData::from_config(config);
  for (const auto& [key, data] : extern_data.keys) {
    fmt::print("data key '{}': {}\n", key, data.str());
  }
  NetworkOptions options;
  options.train = true;
  options.behavior_version = static_cast<int>(config.get_int("behavior_version", 0));
  NetworkWithGradients built = NetworkWithGradients::differentiate(Network::build(config, extern_data, options));
  const Network& network = *built.network;
  require_loss(config, network);
  print_layers(network);
  int64_t parameters = 0;
  int64_t trainable = 0;
  for (const ParamSpec& spec : network.params()) {
    parameters += spec.shape.elements();
    trainable += spec.trainable ? spec.shape.elements() : 0;
  }
  fmt::print("{} parameters, {} trainable, {:.1f} MB with gradients and Adam's state\n", parameters, trainable,
             static_cast<double>(parameters + 3 * trainable) * 4e-6);
  for (const NetworkLoss& loss : network.losses()) {
    fmt::print("loss '{}', scale {}\n", loss.name, loss.scale);
  }
  fmt::print("graph: {} nodes with gradients\n", network.graph().size());
  const Value* device = config.find("device");
  const bool gpu = device != nullptr && device->is_string() && device->as_string() != "cpu";
  const TrainingEstimate estimate = estimate_training(config, built, gpu);
  for (const StepMemory& memory : estimate.steps) {
    fmt::print("memory on the {}: about {}\n", gpu ? "GPU" : "CPU", memory_estimate_text(memory));
  }
  if (!estimate.host_operations.empty()) {
    fmt::print("on the host for lack of CUDA kernels, with copies: {}\n", fmt::join(estimate.host_operations, ", "));
  }
  check_other_epochs(networks, given, extern_data, options);
  for (const std::string& name : network.unreached_layers()) {
    fmt::print(stderr, "warning: {}\n", unreached_layer(config, name).render());
  }
}

}  // namespace wende
