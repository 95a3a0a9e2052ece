#include "network/construction.h"
#include "network/random_seeds.h"

namespace wende {

/// A level's stream of seeds starts with a number of the level around it, as RETURNN's networks do.
void NetworkConstruction::start_random(NetworkLevel& level) {
  if (network_ == real_.get() && !level.random) {
    level.random.emplace(level.parent ? draw_seed(*level.parent) : network_seed(config_));
  }
}

/// Passes that only find templates take none.
uint32_t NetworkConstruction::draw_seed(NetworkLevel& level) {
  if (network_ != real_.get()) {
    return 0;
  }
  start_random(level);
  return static_cast<uint32_t>(level.random->randint(0, int64_t{1} << 31));
}

/// A rec layer draws the seeds of all its options before it makes a variable, and only without an option for weights
/// one for its own initialiser.
void NetworkConstruction::draw_unit_seeds(LayerPlan& plan) {
  if (plan.class_name != "rec" || plan.scope_seed || !plan.init_seeds.empty()) {
    return;
  }
  bool weights = false;
  for (const char* option : {"forward_weights_init", "recurrent_weights_init", "bias_init"}) {
    if (const Value* init = plan.options.find(option); init && !init->is_none()) {
      plan.init_seeds[init->path()] = draw_seed(*plan.level);
      weights |= std::string_view(option) != "bias_init";
    }
  }
  if (!weights) {
    plan.scope_seed = draw_seed(*plan.level);
  }
}

/// RETURNN draws a seed for each initialiser whose option is not 0, in the order of the variables; the variables of a
/// rec unit without an option are made by one initialiser.
uint32_t NetworkConstruction::initial_seed(LayerPlan& plan, const Value& init, const std::string& fallback) {
  draw_unit_seeds(plan);
  if (const auto own = plan.init_seeds.find(init.path()); !init.is_none() && own != plan.init_seeds.end()) {
    return own->second;
  }
  if (init.is_none() && fallback == "xavier") {
    if (!plan.scope_seed) {
      plan.scope_seed = draw_seed(*plan.level);
    }
    return *plan.scope_seed;
  }
  const bool none =
      init.is_none() ? fallback == "zeros" || fallback == "ones" : init.is_number() && init.as_float() == 0;
  return none ? 0 : draw_seed(*plan.level);
}

}  // namespace wende
