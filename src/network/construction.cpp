#include "network/construction.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/accumulate.h"
#include "network/extra_net.h"
#include "network/known_classes.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// Marks the error of a layer whose only fault is that another one could not be built; never shown.
constexpr const char* kDependent = "DEPENDENT";

bool is_option(const std::string& name) { return !name.empty() && name[0] == '#'; }

/// While a layer is built, what it adds goes where its level says.
class EffectsOf {
 public:
  EffectsOf(Network*& network, ErrorCollector*& errors, const NetworkLevel& level)
      : network_(network), errors_(errors), old_network_(network), old_errors_(errors) {
    network_ = level.effects;
    errors_ = level.errors;
  }
  ~EffectsOf() {
    network_ = old_network_;
    errors_ = old_errors_;
  }
  EffectsOf(const EffectsOf&) = delete;
  EffectsOf& operator=(const EffectsOf&) = delete;

 private:
  Network*& network_;
  ErrorCollector*& errors_;
  Network* old_network_;
  ErrorCollector* old_errors_;
};

/// Sets a flag until the end of the scope.
class FlagGuard {
 public:
  FlagGuard(bool& flag, bool value) : flag_(flag), old_(std::exchange(flag, value)) {}
  ~FlagGuard() { flag_ = old_; }
  FlagGuard(const FlagGuard&) = delete;
  FlagGuard& operator=(const FlagGuard&) = delete;

 private:
  bool& flag_;
  bool old_;
};

}  // namespace

const Value* given(const Value& options, const char* key) {
  const Value* value = options.find(key);
  return value && !value->is_none() ? value : nullptr;
}

bool truthy(const Value* value) {
  if (!value || value->is_none()) {
    return false;
  }
  if (value->is_string()) {
    return !value->as_string().empty();
  }
  if (value->is_number()) {
    return value->as_float() != 0.0;
  }
  return value->kind() == Value::Kind::kBool ? value->as_bool() : true;
}

std::vector<std::string> sorted_names(const Value& dict) {
  std::vector<std::string> names;
  for (const std::string& name : dict.keys()) {
    if (!is_option(name)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_dependent(const Error& error) { return error.diagnostics().back().code == kDependent; }

Error dependent(const std::string& name) {
  return Error(ExitStatus::kConfig, "layer '" + name + "' could not be built").code(kDependent);
}

uint32_t name_hash(const std::string& text) {
  uint32_t hash = 2166136261u;
  for (const unsigned char c : text) {
    hash = (hash ^ c) * 16777619u;
  }
  return hash;
}

namespace {

/// The option of a layer that a message names first: "direction must be 1 or -1" is about its 'direction'.
const Value* option_named_in(const std::string& message, const Value& layer) {
  for (size_t begin = 0; begin < message.size(); ++begin) {
    size_t end = begin;
    while (end < message.size() && (std::isalnum(static_cast<unsigned char>(message[end])) || message[end] == '_')) {
      ++end;
    }
    const std::string word = message.substr(begin, end - begin);
    if (const Value* option = word.empty() || word == "class" || word == "from" ? nullptr : layer.find(word)) {
      return option;
    }
    begin = end;
  }
  return nullptr;
}

/// Where a mistake in a layer's dict has no place yet, or just that of the dict.
void place_in_layer(Error& error, const Value& layer) {
  const Diagnostic& last = error.diagnostics().back();
  const Value* option = layer.is_dict() ? option_named_in(last.message, layer) : nullptr;
  if (option != nullptr && (!last.span.known() || last.path == layer.path()) && option->span().known()) {
    error.at(option->span(), option->path());
  } else {
    place_at(error, layer);
  }
}

}  // namespace

void place_at(Error& error, const Value& value) {
  if (!error.diagnostics().back().span.known()) {
    error.at(value.span(), error.diagnostics().back().path.empty() ? value.path() : std::string());
  }
}

NetworkConstruction::NetworkConstruction(const Config& config, const ExternData& extern_data,
                                         const NetworkOptions& options)
    : config_(config),
      options_(options),
      real_(std::make_unique<Network>()),
      network_(real_.get()),
      collector_(&errors_),
      sequence_lengths_(*(real_->graph_ = std::make_unique<Graph>())) {
  root_.graph = network_->graph_.get();
  root_.effects = network_;
  root_.errors = collector_;
  network_->extern_data_ = extern_data;
  network_->options_ = options;
  for (const auto& [key, data] : extern_data.keys) {
    if (data.has_batch()) {
      batch_ = data.dims[static_cast<size_t>(data.batch_axis())];
    }
  }
  if (!batch_.defined()) {
    batch_ = Dim::batch();
  }
}

NetworkConstruction::~NetworkConstruction() = default;

Expr NetworkConstruction::lengths(const NetworkLevel& level, const Dim& dim, const Dim& batch) {
  const Dim rows = sequence_lengths_.rows_of(dim, batch.defined() ? batch : batch_dim(level));
  return level.graph->capture(sequence_lengths_.of(dim, rows));
}

Expr NetworkConstruction::mask(const NetworkLevel& level, const Dim& time, bool time_major, const Dim& batch) {
  const Dim rows = sequence_lengths_.rows_of(time, batch.defined() ? batch : batch_dim(level));
  return level.graph->capture(sequence_lengths_.mask(time, rows, time_major));
}

std::unique_ptr<Network> NetworkConstruction::run() {
  const Value* dict = config_.find("network");
  if (!dict || dict->is_none()) {
    throw Error(ExitStatus::kConfig, "the config has no 'network'");
  }
  if (!dict->is_dict()) {
    throw dict->error(fmt::format("network must be a dict, got {}", dict->type_name()));
  }
  root_.dict = *dict;
  if (const Value* trainable = dict->find("#trainable"); trainable && !trainable->is_none()) {
    root_.trainable = trainable->as_bool();
  }
  build_registered(root_);
  build_level(root_);
  errors_.throw_if_any();
  finish();
  return std::move(real_);
}

bool NetworkConstruction::skipped(const Value& dict) const {
  return (truthy(dict.find("only_on_search")) && !options_.search) ||
         (truthy(dict.find("only_on_eval")) && !options_.eval);
}

bool NetworkConstruction::wanted(const NetworkLevel& level, const std::string& name, const Value& dict) const {
  if (skipped(dict)) {
    return false;
  }
  const bool has_loss = truthy(dict.find("loss"));
  const bool named_output = name == "output" || (name.size() > 7 && name.ends_with(":output"));
  // A subnetwork's own "output" is built as the layer's result.
  return has_loss || truthy(dict.find("is_output_layer")) ||
         (named_output && (level.parent == nullptr || name == "output"));
}

/// Builds the layer; if it fails its error has been collected, and the others are built all the same.
void NetworkConstruction::layer_or_failed(NetworkLevel& level, const std::string& name) {
  try {
    layer(level, name, *level.dict.find(name));
  } catch (const Error& error) {
    if (!is_dependent(error)) {
      throw;
    }
  }
}

void NetworkConstruction::build_registered(NetworkLevel& level) {
  for (const std::string& name : sorted_names(level.dict)) {
    const Value& dict = *level.dict.find(name);
    if (!dict.is_dict() || !truthy(dict.find("register_as_extern_data")) || skipped(dict)) {
      continue;
    }
    layer_or_failed(level, name);
  }
}

void NetworkConstruction::build_level(NetworkLevel& level) {
  for (const std::string& name : sorted_names(level.dict)) {
    const Value& dict = *level.dict.find(name);
    if (!dict.is_dict()) {
      level.errors->add(
          dict.error(fmt::format("layer '{}' must be a dict, got {}", level.absolute(name), dict.type_name())));
      continue;
    }
    if (!wanted(level, name, dict)) {
      continue;
    }
    layer_or_failed(level, name);
  }
  complete_subnetworks(level);
}

/// A subnetwork of which another layer reads only a part is built as a whole.
void NetworkConstruction::complete_subnetworks(NetworkLevel& level) {
  std::vector<std::string> names;
  for (const auto& [name, sub] : level.subnetworks) {
    if (level.built.count(name) == 0 && level.failed.count(name) == 0 && level.dict.find(name) &&
        !is_masked_computation(level.dict.find(name))) {
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    layer_or_failed(level, name);
  }
}

const BuiltLayer& NetworkConstruction::layer(NetworkLevel& level, const std::string& name, const Value& asker) {
  if (const auto found = level.built.find(name); found != level.built.end()) {
    return *found->second;
  }
  const std::string absolute = level.absolute(name);
  if (level.failed.count(name) != 0) {
    throw level.loop && level.loop->draft ? Error(ExitStatus::kConfig, absolute).code(kUnknownYet)
                                          : dependent(absolute);
  }
  const Value* dict = find_layer_dict(level.dict, name);
  if (!dict || is_option(name)) {
    throw layer_not_found(level, name, asker);
  }
  const auto open = std::find(stack_.begin(), stack_.end(), absolute);
  if (open != stack_.end()) {
    std::string chain;
    for (auto it = open; it != stack_.end(); ++it) {
      chain += *it + " -> ";
    }
    throw asker.error("the layers depend on each other in a loop: " + chain + absolute);
  }
  return construct(level, name, *dict);
}

const BuiltLayer& NetworkConstruction::construct(NetworkLevel& level, const std::string& name, const Value& dict) {
  const std::string absolute = level.absolute(name);
  auto built = std::make_unique<BuiltLayer>();
  built->name = absolute;
  built->level = &level;
  const EffectsOf effects(network_, collector_, level);
  // Layers of the root say by their name whether they search; what is inside of them does as they do.
  const bool overlay = level.parent == nullptr && !extra_prefix(name).empty();
  const bool of_run = level.parent == nullptr ? real_->options_.search : options_.search;
  const FlagGuard search(options_.search, overlay ? extra_net_searches(name) : of_run);
  const bool draft = level.loop && level.loop->draft;
  if (draft && level.unit) {
    level.unit->open.push_back(name);
  }
  stack_.push_back(absolute);
  const auto close = [&] {
    stack_.pop_back();
    if (draft && level.unit) {
      level.unit->open.pop_back();
    }
  };
  try {
    if (!dict.is_dict()) {
      throw dict.error(fmt::format("layer '{}' must be a dict, got {}", absolute, dict.type_name()));
    }
    const ScopeGuard scope(*level.graph, absolute);
    construct_layer(level, name, dict, *built);
  } catch (Error& error) {
    close();
    level.failed.insert(name);
    if (error.status() == ExitStatus::kInternal || error.diagnostics().back().code == kUnknownYet) {
      throw;
    }
    if (!is_dependent(error)) {
      place_in_layer(error, dict);
      const Value* klass = dict.is_dict() ? dict.find("class") : nullptr;
      error.frame(fmt::format("in layer '{}'{}", absolute,
                              klass && klass->is_string() ? " (class " + klass->as_string() + ")" : ""));
      collector_->add(error);
    }
    throw draft ? Error(ExitStatus::kConfig, absolute).code(kUnknownYet) : dependent(absolute);
  }
  close();
  const BuiltLayer& result = *(level.built[name] = std::move(built));
  if (level.loop) {
    level.loop->built[absolute] = &result;
  }
  return result;
}

void NetworkConstruction::collect_unreached(const NetworkLevel& level) {
  for (const std::string& name : sorted_names(level.dict)) {
    const Value& dict = *level.dict.find(name);
    if (level.built.count(name) == 0 && !(dict.is_dict() && skipped(dict))) {
      const auto sub = level.subnetworks.find(name);
      if (sub == level.subnetworks.end() || sub->second->built.empty()) {
        network_->unreached_.push_back(level.absolute(name));
      }
    }
  }
  for (const auto& [name, sub] : level.subnetworks) {
    collect_unreached(*sub);
  }
}

void NetworkConstruction::finish() {
  collect_unreached(root_);
  std::vector<Expr> objectives;
  for (const NetworkLoss& loss : network_->losses_) {
    if (loss.objective.defined()) {
      objectives.push_back(loss.objective);
    }
  }
  const auto total = [](const std::vector<Expr>& parts) { return parts.empty() ? Expr{} : accumulate(parts); };
  network_->loss_ = total(objectives);
  constraints_.insert(constraints_.end(), data_constraints_.begin(), data_constraints_.end());
  network_->constraints_ = total(constraints_);
  network_->data_constraints_ = total(data_constraints_);
  std::vector<Expr> parts;
  for (const Expr& part : {network_->loss_, network_->constraints_}) {
    if (part.defined()) {
      parts.push_back(part);
    }
  }
  network_->objective_ = total(parts);
}

/// What the value was at the end of the last batch of the epoch; zeros in the first.
Expr NetworkConstruction::kept(const LayerPlan& plan, const std::string& key, const Data& data) {
  if (plan.level->loop) {
    throw plan.options.error("states that go on from batch to batch are not supported inside of loops");
  }
  return ops::input(*plan.level->graph, "kept:" + plan.scope + "/" + key, data.dtype, data.dims);
}

void NetworkConstruction::keep(const LayerPlan& plan, const std::string& key, Expr next) {
  network_->kept_.push_back({"kept:" + plan.scope + "/" + key, ops::stop_gradient(next)});
}

std::unique_ptr<Network> Network::build(const Config& config, const ExternData& extern_data,
                                        const NetworkOptions& options) {
  return NetworkConstruction(config, extern_data, options).run();
}

}  // namespace wende
