#include <fmt/core.h>

#include "config/args.h"
#include "network/construction.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"

namespace wende {

bool NetworkConstruction::registers_key(const std::string& key) const {
  for (const std::string& name : root_.dict.keys()) {
    const Value& dict = *root_.dict.find(name);
    const Value* target = dict.is_dict() ? dict.find("register_as_extern_data") : nullptr;
    if (target && target->is_string() && target->as_string() == key) {
      return true;
    }
  }
  return false;
}

/// The template of a frame, in a loop that has no frames of data.
Data NetworkConstruction::one_frame(const NetworkLevel& level, Data data) const {
  if (data.has_time()) {
    data = data.without_axis(data.time_axis);
  }
  if (data.has_batch()) {
    data.dims[static_cast<size_t>(data.batch_axis())] = batch_dim(level);
  }
  return data;
}

/// "layer:x" is a layer; other names are a layer of this network if there is one, else a data key.
TargetRef NetworkConstruction::target_ref(NetworkLevel& level, const std::string& name, const Value& place,
                                          const std::string& self) {
  TargetRef target;
  const bool forced = name.starts_with("layer:");
  const std::string layer_name = forced ? name.substr(6) : name;
  const bool is_layer = forced || (level.dict.find(name) != nullptr && name != self) ||
                        name.find('/') != std::string::npos || name.starts_with("base:");
  if (is_layer) {
    target.layer = &resolve(level, layer_name, place);
  } else {
    const std::string key = name.starts_with("data:") ? name.substr(5) : name;
    const NetworkLevel* around = &level;
    while (around && !around->unit) {
      around = around->parent;
    }
    const auto fed = real_->extern_data_.keys.find(key);
    const bool registered = registers_key(key);
    if (registered ? around != nullptr : fed != real_->extern_data_.keys.end()) {
      const Data data = registered ? extern_source(key, place).output.data : fed->second;
      target.key = key;
      target.data = !around                                            ? data
                    : around->unit->open_ended || around->unit->search ? one_frame(level, data)
                                                                       : frames_of(level, key, place).data;
      return target;
    }
    target.layer = &extern_source(key, place);
  }
  target.data = target.layer->output.data;
  return target;
}

void NetworkConstruction::resolve_targets(LayerPlan& plan) {
  const Value* given = plan.options.find("target");
  std::vector<Value> names;
  if (given && !given->is_none()) {
    names = items_of(*given);
  } else if (plan.loss && plan.loss->needs_target()) {
    const Value* loss = plan.options.find("loss");
    names.push_back(Value::of(real_->extern_data_.default_target).placed(loss->span(), loss->path()));
  }
  for (const Value& name : names) {
    plan.targets.push_back(target_ref(*plan.level, name.as_string(), name, plan.name));
    plan.context.targets.push_back(plan.targets.back().data);
  }
}

LayerOutput NetworkConstruction::target_output(const NetworkLevel& level, const TargetRef& target) {
  if (target.layer) {
    return target.layer->output;
  }
  for (const NetworkLevel* around = &level; around; around = around->parent) {
    if (around->unit) {
      return frames_of(level, target.key, Value());
    }
  }
  return extern_source(target.key, Value()).output;
}

}  // namespace wende
