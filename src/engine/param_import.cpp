#include "engine/param_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/log.h"

namespace wende {
namespace {

using Parts = std::vector<int64_t>;

int64_t sum(const Parts& parts) { return std::accumulate(parts.begin(), parts.end(), int64_t{0}); }

/// Copies what fits of each block: axis i of `own` has the blocks to[i], that of `stored` the same number, from[i].
Tensor with_corners(const Tensor& own, const Tensor& stored, const std::vector<Parts>& to,
                    const std::vector<Parts>& from) {
  const Tensor result = own.clone();
  const std::function<void(Tensor, Tensor, int)> copy = [&](const Tensor& target, const Tensor& source, int axis) {
    if (axis == own.rank()) {
      target.copy_from(source);
      return;
    }
    int64_t to_begin = 0;
    int64_t from_begin = 0;
    for (size_t part = 0; part < to[static_cast<size_t>(axis)].size(); ++part) {
      const int64_t to_size = to[static_cast<size_t>(axis)][part];
      const int64_t from_size = from[static_cast<size_t>(axis)][part];
      const int64_t size = std::min(to_size, from_size);
      copy(target.sliced(axis, to_begin, to_begin + size), source.sliced(axis, from_begin, from_begin + size),
           axis + 1);
      to_begin += to_size;
      from_begin += from_size;
    }
  };
  copy(result, stored, 0);
  return result;
}

/// Blocks of an axis of another size. A block of a size that stands alone on an axis, or in equal blocks, changes as it
/// does there; what remains unclear keeps its size, the last unclear one takes the rest.
Parts blocks_of(int64_t size, const Parts& parts, const std::map<int64_t, int64_t>& changes) {
  if (parts.size() == 1) return {size};
  Parts result(parts.size(), -1);
  std::vector<size_t> unclear;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto change = changes.find(parts[i]);
    if (change != changes.end()) {
      result[i] = change->second;
    } else {
      unclear.push_back(i);
    }
  }
  int64_t rest = size;
  for (const int64_t part : result) rest -= std::max<int64_t>(part, 0);
  for (size_t i = 0; i < unclear.size(); ++i) {
    result[unclear[i]] = i + 1 < unclear.size() ? std::min(parts[unclear[i]], rest) : rest;
    rest -= result[unclear[i]];
  }
  if (unclear.empty()) result[0] += size - sum(result);
  return result;
}

/// The blocks of a tensor of another shape.
std::vector<Parts> blocks_of(const Shape& shape, const std::vector<Parts>& parts) {
  std::map<int64_t, int64_t> changes;
  for (size_t axis = 0; axis < parts.size(); ++axis) {
    const Parts& own = parts[axis];
    const auto count = static_cast<int64_t>(own.size());
    const int64_t size = shape[static_cast<int>(axis)];
    const bool equal = std::all_of(own.begin(), own.end(), [&](int64_t part) { return part == own[0]; });
    if (equal && size % count == 0) changes[own[0]] = size / count;
  }
  std::vector<Parts> result;
  for (size_t axis = 0; axis < parts.size(); ++axis) {
    result.push_back(blocks_of(shape[static_cast<int>(axis)], parts[axis], changes));
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

int64_t features(const Data& data) {
  const Dim dim = data.feature_or_sparse_dim();
  return dim.defined() && dim.is_static() ? dim.size() : 0;
}

/// Sizes of a layer's sources; a copy of several layers counts as these. Empty if one is not found.
Parts source_sizes(const Network& network, const NetworkLayer& layer) {
  const Value* from = layer.options.find("from");
  if (from == nullptr || from->is_none()) return {};
  Parts sizes;
  const std::string scope = layer.name.substr(0, layer.name.rfind('/') + 1);
  for (const Value& item : from->is_string() ? std::vector<Value>{*from} : from->items()) {
    std::string name = item.as_string();
    std::string place = scope;
    for (; name.starts_with("base:") && !place.empty(); name = name.substr(5)) {
      place = place.substr(0, place.rfind('/', place.size() - 2) + 1);
    }
    if (name.starts_with("prev:")) name = name.substr(5);
    const std::string key = name == "data"              ? network.extern_data().default_input
                            : name.starts_with("data:") ? name.substr(5)
                                                        : "";
    if (const auto data = network.extern_data().keys.find(key);
        place.empty() && data != network.extern_data().keys.end()) {
      sizes.push_back(features(data->second));
      continue;
    }
    const NetworkLayer* source = network.find_layer(place + name);
    if (source == nullptr) return {};
    const Parts below = source->class_name == "copy" ? source_sizes(network, *source) : Parts();
    if (below.empty()) {
      sizes.push_back(features(source->output.data));
    } else {
      sizes.insert(sizes.end(), below.begin(), below.end());
    }
  }
  return sizes;
}

/// The blocks that a parameter's axes consist of.
std::vector<Parts> parts_of(const Network& network, const std::string& param, const Shape& shape) {
  std::vector<Parts> parts;
  for (int axis = 0; axis < shape.rank(); ++axis) parts.push_back({shape[axis]});
  if (const int64_t count = gates(network, param); count > 1 && !parts.empty()) {
    parts.back().assign(static_cast<size_t>(count), shape[shape.rank() - 1] / count);
  }
  const NetworkLayer* layer = network.find_layer(param.substr(0, param.rfind('/')));
  if (layer != nullptr && param.ends_with("/W") && shape.rank() == 2) {
    const bool linear = layer->class_name == "linear" || layer->class_name == "softmax" ||
                        layer->class_name == "hidden" || layer->class_name == "forward";
    const Value* transposed = layer->options.find("use_transposed_weights");
    const size_t axis = transposed != nullptr && transposed->as_bool() ? 1 : 0;
    const Parts sizes = linear ? source_sizes(network, *layer) : Parts();
    if (!sizes.empty() && sum(sizes) == shape[static_cast<int>(axis)]) parts[axis] = sizes;
  }
  return parts;
}

}  // namespace

ParamImport::ParamImport(const Network& network, std::string otherwise)
    : network_(network), otherwise_(std::move(otherwise)) {
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
  return otherwise_;
}

Tensor ParamImport::value(const std::string& param, const Tensor& own, const Tensor* stored) const {
  const std::string how = mode(param);
  if (how == "reset" || stored == nullptr) {
    return own;
  }
  if (stored->shape() == own.shape()) {
    return *stored;
  }
  if (how == "ifpossible" || how.empty()) {
    log_line(3, fmt::format("Will not set param '{}' because its shape {} != {}.", param, own.shape().str(),
                            stored->shape().str()));
    return own;
  }
  const std::vector<Parts> to = parts_of(network_, param, own.shape());
  const std::vector<Parts> from = stored->rank() == own.rank() ? blocks_of(stored->shape(), to) : std::vector<Parts>();
  const bool fits = !from.empty() && std::all_of(from.begin(), from.end(), [](const Parts& parts) {
    return std::all_of(parts.begin(), parts.end(), [](int64_t part) { return part >= 0; });
  });
  if (!fits) {
    throw Error(ExitStatus::kMalformedInput,
                fmt::format("custom_param_importer: parameter '{}' of shape {} takes no part of one of shape {}", param,
                            own.shape().str(), stored->shape().str()));
  }
  log_line(3, fmt::format("Param '{}': transform old values of shape {} into new shape {}.", param,
                          stored->shape().str(), own.shape().str()));
  return with_corners(own, *stored, to, from);
}

}  // namespace wende
