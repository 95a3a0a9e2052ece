#include "engine/epoch_networks.h"

#include <fmt/core.h>

#include <algorithm>

namespace wende {

namespace {

const Value* given(const Value* value) { return value != nullptr && !value->is_none() ? value : nullptr; }

/// What Python made of a network, with the places of the entries that the config wrote.
Value with_places(const Value& made, const Value& written, const SourceSpan& otherwise) {
  if (made.is_dict() && written.is_dict()) {
    std::vector<Value::Entry> entries;
    for (const auto& [key, value] : made.entries()) {
      const Value* original = key.is_string() ? written.find(key.as_string()) : nullptr;
      entries.emplace_back(key, original != nullptr ? with_places(value, *original, otherwise)
                                                    : value.placed(otherwise, written.path() + "[" + key.repr() + "]"));
    }
    return Value::dict(std::move(entries)).placed(written.span(), written.path());
  }
  return made.placed(made == written ? written.span() : otherwise, written.path());
}

/// As RETURNN compares: two Dims are the same if kind and size are.
bool same_network(const Value& a, const Value& b) {
  if (a.kind() == Value::Kind::kDim && b.kind() == Value::Kind::kDim) {
    for (const char* key : {"kind", "dimension"}) {
      const Value* x = a.find(key);
      const Value* y = b.find(key);
      if ((x == nullptr) != (y == nullptr) || (x != nullptr && !(*x == *y))) return false;
    }
    return true;
  }
  if (a.is_dict() && b.is_dict()) {
    return a.entries().size() == b.entries().size() &&
           std::all_of(a.entries().begin(), a.entries().end(), [&](const Value::Entry& entry) {
             const auto found = std::find_if(b.entries().begin(), b.entries().end(),
                                             [&](const Value::Entry& other) { return other.first == entry.first; });
             return found != b.entries().end() && same_network(entry.second, found->second);
           });
  }
  if (a.kind() == b.kind() && a.is_sequence()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), same_network);
  }
  if (a.is_callable() && b.is_callable()) {
    return a == b || evaluate_expression("a is b", a.span(), {{"a", a}, {"b", b}}).as_bool();
  }
  return a == b;
}

void check_copy_mode(const Value& mode) {
  static const std::vector<std::string> kModes = {"ifpossible", "subset", "reset"};
  if (!mode.is_none() && std::find(kModes.begin(), kModes.end(), mode.as_string()) == kModes.end()) {
    throw mode.error(fmt::format("copy_param_mode {} is not one of None, 'ifpossible', 'subset', 'reset'", mode.repr()))
        .hint(did_you_mean(mode.as_string(), kModes));
  }
}

/// The options of `pretrain`, those written as pretrain_... included; nullopt: there is no pretraining.
std::optional<Value> pretrain_options(const Config& config) {
  const Value* pretrain = given(config.find("pretrain"));
  if (pretrain == nullptr) return std::nullopt;
  const bool text = pretrain->is_string();
  if (text && pretrain->as_string() != "default" && !pretrain->as_string().empty()) {
    throw pretrain->error(fmt::format("unknown pretrain {}: \"default\" or a dict", pretrain->repr()));
  }
  const bool wanted = text                  ? !pretrain->as_string().empty()
                      : pretrain->is_dict() ? !pretrain->entries().empty()
                                            : pretrain->as_bool();
  if (!wanted) return std::nullopt;
  Value options = pretrain->is_dict() ? *pretrain : Value::dict({}).placed(pretrain->span(), pretrain->path());
  for (const char* name : {"copy_output_layer", "greedy", "repetitions", "construction_algo"}) {
    const Value* more = config.find(std::string("pretrain_") + name);
    if (more != nullptr && options.find(name) == nullptr) options = options.with(name, *more);
  }
  return options;
}

}  // namespace

EpochNetworks::EpochNetworks(const Config& config) : config_(config) {
  if (const Value* function = given(config_.find("get_network"))) {
    function_ = function->as_callable_ptr();
  }
  if (const std::optional<Value> options = pretrain_options(config_)) {
    read_pretrain(*options);
  }
}

void EpochNetworks::read_pretrain(const Value& options) {
  const Value* network = given(config_.find("network"));
  if (network == nullptr) throw options.error("pretrain needs 'network': a dict of layers");
  static const std::vector<std::string> kForConstruction = {"repetitions", "construction_algo", "output_layers",
                                                            "input_layers"};
  static const std::vector<std::string> kOptions = {"repetitions",  "construction_algo", "output_layers",
                                                    "input_layers", "copy_param_mode",   "copy_output_layer",
                                                    "greedy"};
  std::vector<std::pair<std::string, Value>> names = {{"network", *network}};
  std::string call = "networks_of_epochs(network";
  for (const auto& [key, value] : options.entries()) {
    const std::string& name = key.as_string();
    if (std::find(kOptions.begin(), kOptions.end(), name) == kOptions.end()) {
      throw value.error(fmt::format("unknown option '{}' of pretrain", name)).hint(did_you_mean(name, kOptions));
    }
    if (std::find(kForConstruction.begin(), kForConstruction.end(), name) != kForConstruction.end()) {
      names.emplace_back(name, value);
      call += fmt::format(", {0}={0}", name);
    }
  }
  if (const Value* greedy = given(options.find("greedy")); greedy != nullptr && greedy->as_bool()) {
    throw greedy->error("pretrain: greedy is not supported (nor is it by RETURNN's TensorFlow part)");
  }
  if (const Value* mode = given(options.find("copy_param_mode"))) {
    check_copy_mode(*mode);
    copy_mode_ = mode->as_string();
  }
  const Value* copies = given(options.find("copy_output_layer"));
  copy_output_layers_ = copies == nullptr     ? copy_mode_ != "reset"
                        : copies->is_string() ? copies->as_string() != "reset"
                                              : copies->as_bool();
  const Value made =
      evaluate_expression("__import__('returnn.pretrain', fromlist=['pretrain'])." + call + ")", options.span(), names);
  for (const Value& net : made.items()) {
    if (!net.is_dict()) {
      throw options.error(fmt::format("pretrain: construction_algo returned {}, not a dict of layers", net.repr()));
    }
    pretrain_.push_back(with_places(net, *network, options.span()));
  }
  if (!pretrain_.empty() && same_network(pretrain_.back(), *network)) pretrain_.back() = *network;
}

const Value& EpochNetworks::network(int epoch) {
  if (is_pretrain(epoch)) return pretrain_[static_cast<size_t>(std::max(epoch, 1)) - 1];
  if (function_ != nullptr) {
    auto found = made_.find(epoch);
    if (found == made_.end()) {
      const Value& option = *config_.find("get_network");
      Value net = function_->call({}, {{"epoch", Value::of(int64_t{epoch})}}).placed(option.span(), "get_network");
      if (!net.is_dict()) {
        throw option.error(fmt::format("get_network(epoch={}) returned {}, not a dict", epoch, net.repr()));
      }
      found = made_.emplace(epoch, std::move(net)).first;
    }
    return found->second;
  }
  if (!pretrain_.empty()) return pretrain_.back();
  return *config_.find("network");
}

Config EpochNetworks::config_of(int epoch) {
  if (!varies()) return config_;
  Config config = config_;
  const Value& net = network(epoch);
  const Value* changes = given(net.find("#config"));
  for (const auto& [key, value] : changes != nullptr ? changes->entries() : std::vector<Value::Entry>()) {
    const std::string& name = key.as_string();
    if (name == "learning_rate") continue;
    if (!config_.has(name)) {
      throw value
          .error(fmt::format("\"#config\" of the network of epoch {}: the config has no '{}' to change", epoch, name))
          .hint(did_you_mean(name, config_.globals().keys()));
    }
    config.set(name, value);
  }
  if (const Value* trainable = given(net.find("#trainable")); trainable != nullptr && !trainable->as_bool()) {
    throw trainable->error("\"#trainable\": False, an epoch that only forwards, is not supported");
  }
  config.set("network", net);
  config.set("network_epoch", Value::of(int64_t{first_with_network_of(epoch)}));
  return config;
}

bool EpochNetworks::same(int epoch, int other) {
  return epoch == other || !varies() || same_network(network(epoch), network(other));
}

int EpochNetworks::first_with_network_of(int epoch) {
  if (function_ == nullptr && epoch > pretrain_epochs()) epoch = std::max(pretrain_epochs(), 1);
  while (epoch > 1 && same(epoch - 1, epoch)) --epoch;
  return epoch;
}

std::string EpochNetworks::copy_mode(int epoch) {
  if (!varies()) return "";
  const Value* own = network(epoch).find("#copy_param_mode");
  if (own == nullptr) return is_pretrain(epoch) ? copy_mode_ : "";
  check_copy_mode(*own);
  return own->is_none() ? "" : own->as_string();
}

std::optional<double> EpochNetworks::learning_rate(int epoch) {
  if (!varies()) return std::nullopt;
  const Value* changes = given(network(epoch).find("#config"));
  const Value* rate = changes != nullptr ? given(changes->find("learning_rate")) : nullptr;
  if (rate == nullptr) return std::nullopt;
  if (is_pretrain(1) && !config_.get_bool("use_learning_rate_control_always", false)) {
    throw rate->error("\"#config\": a learning rate in pretraining needs use_learning_rate_control_always = True");
  }
  return rate->as_float();
}

}  // namespace wende
