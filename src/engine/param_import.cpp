#include "engine/param_import.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"

namespace wende {
namespace {

/// Copies what fits of each of the `parts` blocks of the last axis.
Tensor with_corner(const Tensor& own, const Tensor& stored, int64_t parts) {
  const Tensor result = own.clone();
  const int last = own.rank() - 1;
  const int64_t to_size = own.shape()[last] / parts;
  const int64_t from_size = stored.shape()[last] / parts;
  for (int64_t part = 0; part < parts; ++part) {
    Tensor to = result;
    Tensor from = stored;
    for (int axis = 0; axis < own.rank(); ++axis) {
      const bool split = axis == last;
      const int64_t size = split ? std::min(to_size, from_size) : std::min(own.shape()[axis], stored.shape()[axis]);
      const int64_t to_begin = split ? part * to_size : 0;
      const int64_t from_begin = split ? part * from_size : 0;
      to = to.sliced(axis, to_begin, to_begin + size);
      from = from.sliced(axis, from_begin, from_begin + size);
    }
    to.copy_from(from);
  }
  return result;
}

/// A cell's "x/rec/W", "x/rec/W_re" and "x/rec/b" have 4 gates if W_re is [n,4n].
int64_t gates(const Network& network, const std::string& param) {
  const size_t slash = param.rfind('/');
  if (slash == std::string::npos || !param.substr(0, slash).ends_with("/rec")) {
    return 1;
  }
  const std::string recurrent = param.substr(0, slash) + "/W_re";
  const auto found = std::find_if(network.params().begin(), network.params().end(),
                                  [&](const ParamSpec& spec) { return spec.name == recurrent; });
  return found != network.params().end() && found->shape[1] == 4 * found->shape[0] ? 4 : 1;
}

/// Keys, queries and values, or the inputs of several layers, side by side: which block is which, the shapes do not
/// say.
bool has_blocks(const Network& network, const std::string& param) {
  const NetworkLayer* layer = network.find_layer(param.substr(0, param.rfind('/')));
  const Value* from = layer ? layer->options.find("from") : nullptr;
  return param.ends_with("/QKV") || (param.ends_with("/W") && from && from->is_sequence() && from->items().size() > 1);
}

}  // namespace

ParamImport::ParamImport(const Network& network) : network_(network) {
  for (const NetworkLayer& layer : network.layers()) {
    if (const Value* option = layer.options.find("custom_param_importer"); option && option->is_string()) {
      modes_[layer.name + "/"] = option->as_string();
    }
  }
}

std::string ParamImport::mode(const std::string& param) const {
  for (const auto& [prefix, mode] : modes_) {
    if (param.starts_with(prefix)) {
      return mode;
    }
  }
  return "";
}

Tensor ParamImport::value(const std::string& param, const Tensor& own, const Tensor* stored) const {
  const std::string how = mode(param);
  if (how == "reset" || stored == nullptr) {
    return own;
  }
  if (stored->shape() == own.shape()) {
    return *stored;
  }
  if (how == "ifpossible") {
    log_line(3, fmt::format("Will not set param '{}' because its shape {} != {}.", param, own.shape().str(),
                            stored->shape().str()));
    return own;
  }
  const int64_t parts = gates(network_, param);
  if (stored->rank() != own.rank() || own.rank() == 0 || stored->shape()[own.rank() - 1] % parts != 0 ||
      has_blocks(network_, param)) {
    throw Error(ExitStatus::kMalformedInput,
                fmt::format("custom_param_importer: parameter '{}' of shape {} takes no part of one of shape {}", param,
                            own.shape().str(), stored->shape().str()));
  }
  log_line(3, fmt::format("Param '{}': transform old values of shape {} into new shape {}.", param,
                          stored->shape().str(), own.shape().str()));
  return with_corner(own, *stored, parts);
}

}  // namespace wende
