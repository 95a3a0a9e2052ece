#include "app/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "engine/config_check.h"
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

}  // namespace

void check(const Config& config) {
  for (const Diagnostic& warning : config_warnings(config)) {
    fmt::print(stderr, "warning: {}\n", warning.render());
  }
  check_config(config);
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
  for (const StepMemory& memory : largest_steps(config, built, gpu)) {
    fmt::print("memory on the {}: about {}\n", gpu ? "GPU" : "CPU", memory_estimate_text(memory));
  }
  for (const std::string& name : network.unreached_layers()) {
    fmt::print(stderr, "warning: layer '{}' is never reached from an output, a loss or is_output_layer\n", name);
  }
}

}  // namespace wende
