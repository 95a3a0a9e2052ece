#include "network/network.h"

#include <algorithm>

namespace wende {

const NetworkLayer* Network::find_layer(const std::string& absolute_name) const {
  const auto found = std::find_if(layers_.begin(), layers_.end(),
                                  [&](const NetworkLayer& layer) { return layer.name == absolute_name; });
  return found == layers_.end() ? nullptr : &*found;
}

Expr Network::param_expr(const std::string& name) const {
  const auto found = param_exprs_.find(name);
  if (found == param_exprs_.end()) {
    throw internal_error("no parameter '" + name + "' in the network");
  }
  return found->second;
}

Value Network::updater_opts(const std::string& param) const {
  const auto found = updater_opts_.find(param);
  return found == updater_opts_.end() ? Value() : found->second;
}

double Network::l2(const std::string& param) const {
  const auto found = l2_.find(param);
  return found == l2_.end() ? 0.0 : found->second;
}

std::vector<std::string> Network::used_data_keys() const { return used_keys_; }

const NetworkLayer* Network::default_output_layer() const {
  if (const NetworkLayer* output = find_layer("output")) {
    return output;
  }
  const NetworkLayer* only = nullptr;
  for (const NetworkLayer& layer : layers_) {
    const Value* flag = layer.options.find("is_output_layer");
    const Value* loss = layer.options.find("loss");
    if (!layer.is_root() || !((flag && !flag->is_none() && flag->as_bool()) || (loss && !loss->is_none()))) {
      continue;
    }
    if (only) {
      return nullptr;
    }
    only = &layer;
  }
  return only;
}

}  // namespace wende
